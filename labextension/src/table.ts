/** What of a table is seen, and in which order: pure functions, no DOM. */

import { Cell, Table } from './document';
import { format } from './format';

export type Direction = 'ascending' | 'descending';

/** The column that orders the rows; `null` is the order they came in, that of the network. */
export type Sort = { column: number; direction: Direction } | null;

export interface CellView {
  text: string;
  /** Length of the bar behind the number, 0 to 1, in columns that have one. */
  bar?: number;
}

export interface RowView {
  cells: CellView[];
  /** What sorting compares. */
  values: Cell[];
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The rows of `table` as they are shown, in the order they came in. */
export function rowViews(table: Table): RowView[] {
  const longest = table.columns.map((column, index) =>
    column.bar ? Math.max(0, ...table.rows.map(row => magnitude(row[index]))) : 0
  );
  return table.rows.map(values => ({
    values,
    cells: table.columns.map((column, index) => {
      const text = format(values[index], column);
      return longest[index] > 0
        ? { text, bar: magnitude(values[index]) / longest[index] }
        : { text };
    })
  }));
}

/** The sort that a press on a column's heading leads to: ascending, descending, then as it came. */
export function nextSort(sort: Sort, column: number): Sort {
  if (sort?.column !== column) {
    return { column, direction: 'ascending' };
  }
  return sort.direction === 'ascending' ? { column, direction: 'descending' } : null;
}

/** The rows that hold every word of `query` in what they show, ordered by `sort`. */
export function visibleRows(rows: readonly RowView[], query: string, sort: Sort): RowView[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(row => {
    const text = row.cells.map(cell => cell.text.toLowerCase()).join('\n');
    return words.every(word => text.includes(word));
  });
  return sort
    ? found.sort((a, b) => compare(a.values[sort.column], b.values[sort.column], sort))
    : found;
}

/** Numbers before words before nothing in either direction, so that what can be compared leads. */
function compare(a: Cell, b: Cell, sort: { direction: Direction }): number {
  const order = rank(a) - rank(b);
  if (order !== 0) {
    return order;
  }
  const forward =
    typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(`${a}`, `${b}`);
  return sort.direction === 'ascending' ? forward : -forward;
}

function rank(cell: Cell): number {
  return cell === null ? 2 : typeof cell === 'string' ? 1 : 0;
}

function magnitude(cell: Cell): number {
  return typeof cell === 'number' ? Math.max(0, cell) : 0;
}
