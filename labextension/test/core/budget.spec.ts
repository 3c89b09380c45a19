import { describe, expect, it } from 'vitest';

import { parseBudget, parseMaxDrop } from '../../src/panel/core/budget';

describe('a budget', () => {
  it.each([
    ['4x', 25],
    ['1X', 100],
    ['6.2x', 16],
    ['500KB', 500_000],
    ['1.5 MB', 1_500_000],
    ['2kib', 2048],
    ['12b', 12],
    ['1GB', 1e9],
    [' 61706 ', 61706],
    ['61706.9', 61706]
  ])('is read: %s', (text, bytes) => {
    expect(parseBudget(text, 100)).toBe(bytes);
  });

  it.each(['', '0', '0x', '0.5x', '-4x', '4 x x', 'KB', '1e6', '1.', '.5MB', '4xB'])(
    'is refused: %s',
    text => {
      expect(parseBudget(text, 100)).toBeNull();
    }
  );
});

describe('an allowed loss', () => {
  it('is of the output or of accuracy', () => {
    expect(parseMaxDrop('30dB')).toEqual({ sqnrDb: 30 });
    expect(parseMaxDrop('25.5 DB')).toEqual({ sqnrDb: 25.5 });
    expect(parseMaxDrop('1%')).toEqual({ accuracy: 0.01 });
    expect(parseMaxDrop('101%')).toBeNull();
    expect(parseMaxDrop('30')).toBeNull();
  });
});
