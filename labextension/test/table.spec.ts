import { describe, expect, it } from 'vitest';

import type { Cell, Table } from '../src/document';
import { RowView, Sort, nextSort, rowViews, visibleRows } from '../src/table';

const layers: Table = {
  type: 'table',
  title: 'Layers',
  columns: [
    { key: 'name', label: 'Layer', kind: 'text', bar: false },
    { key: 'sqnr_db', label: 'SQNR (dB)', kind: 'number', digits: 1, bar: true }
  ],
  rows: [
    ['conv10', 20],
    ['conv2', 'inf'],
    ['fc1', null],
    ['Conv1', -5],
    ['fc2', 40]
  ]
};

const rows = rowViews(layers);
const names = (views: RowView[]): Cell[] => views.map(row => row.values[0]);

describe('rowViews', () => {
  it("draws bars as shares of the column's largest, and none below zero", () => {
    expect(rows.map(row => row.cells[1].bar)).toEqual([0.5, 0, 0, 0, 1]);
    expect(rows[0].cells[0].bar).toBeUndefined();
  });

  it('draws no bars where there is nothing to compare', () => {
    const [row] = rowViews({ ...layers, rows: [['conv1', null]] });
    expect(row.cells[1]).toEqual({ text: '\u2013' });
  });
});

describe('visibleRows', () => {
  it('keeps the order of the network until asked', () => {
    expect(visibleRows(rows, '', null)).toEqual(rows);
  });

  it.each<[string, Sort, string[]]>([
    [
      'names as people count',
      { column: 0, direction: 'ascending' },
      ['Conv1', 'conv2', 'conv10', 'fc1', 'fc2']
    ],
    [
      'numbers, then words, then nothing',
      { column: 1, direction: 'ascending' },
      ['Conv1', 'conv10', 'fc2', 'conv2', 'fc1']
    ],
    [
      'the same downwards',
      { column: 1, direction: 'descending' },
      ['fc2', 'conv10', 'Conv1', 'conv2', 'fc1']
    ]
  ])('sorts %s', (_, sort, order) => {
    expect(names(visibleRows(rows, '', sort))).toEqual(order);
  });

  it('leaves what it was given in its order', () => {
    const before = [...rows];
    visibleRows(rows, '', { column: 1, direction: 'descending' });
    expect(rows).toEqual(before);
  });

  it.each([
    ['conv', ['conv10', 'conv2', 'Conv1']],
    ['CONV 20', ['conv10']],
    ['  inf ', ['conv2']],
    ['\u2013', ['fc1']],
    ['(.*', []]
  ])('finds %j', (query, found) => {
    expect(names(visibleRows(rows, query, null))).toEqual(found);
  });
});

describe('nextSort', () => {
  it('goes up, down and back to the order of the network', () => {
    const up = nextSort(null, 1);
    const down = nextSort(up, 1);
    expect([up, down, nextSort(down, 1)]).toEqual([
      { column: 1, direction: 'ascending' },
      { column: 1, direction: 'descending' },
      null
    ]);
  });

  it('starts upwards on another column', () => {
    expect(nextSort({ column: 1, direction: 'ascending' }, 0)).toEqual({
      column: 0,
      direction: 'ascending'
    });
  });
});
