import { describe, expect, it } from 'vitest';

import type { Cell, Column } from '../src/document';
import { format, formatBytes } from '../src/format';

function written(cell: Cell, kind: Column['kind'], digits?: number): string {
  return format(cell, { key: 'x', label: 'X', kind, digits, bar: false });
}

describe('format', () => {
  it.each<[Cell, Column['kind'], number | undefined, string]>([
    ['conv1', 'text', undefined, 'conv1'],
    [61706, 'integer', undefined, '61,706'],
    [-3, 'integer', undefined, '-3'],
    [41.25, 'number', 1, '41.3'],
    [1234.5, 'number', undefined, '1,234.50'],
    [-0.0, 'number', 1, '0.0'],
    [0.00002, 'number', 2, '2.0e-5'],
    [0.0123, 'percent', undefined, '1.2 %'],
    [1, 'percent', 0, '100 %'],
    [78964, 'bytes', undefined, '79 kB'],
    [null, 'number', undefined, '\u2013'],
    ['inf', 'number', 1, 'inf']
  ])('writes %j as %s with %j digits: %s', (cell, kind, digits, text) => {
    expect(written(cell, kind, digits)).toBe(text);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [812, '812 B'],
    [2400, '2.4 kB'],
    [9949, '9.9 kB'],
    [9960, '10 kB'],
    [245_100, '245 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [102_000_000, '102 MB'],
    [5e15, '5,000 TB']
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
