/**
 * The report document: what Python sends, and what is made of it when it is not what was agreed.
 *
 * A notebook can come from anywhere and from any release, so nothing about the data is taken for granted:
 * `readReport` never throws, and what it cannot read becomes a block that says so.
 */

/** How a column's values are written; `percent` holds a fraction, `bytes` a number of bytes. */
export type Kind = 'text' | 'integer' | 'number' | 'bytes' | 'percent';

/** One value of a table; a string in a numeric column is a number JSON has no word for, like "inf". */
export type Cell = string | number | null;

export interface Column {
  key: string;
  label: string;
  kind: Kind;
  /** Digits after the decimal point, for `number` and `percent`. */
  digits?: number;
  /** Whether a bar behind the number shows its share of the column's largest. */
  bar: boolean;
}

export interface Item {
  label: string;
  value: string;
}

export interface Message {
  level: 'note' | 'warning' | 'error';
  text: string;
}

export interface Table {
  type: 'table';
  title: string;
  columns: Column[];
  /** One array a row, in the order of the columns. */
  rows: Cell[][];
}

export type Block =
  | { type: 'facts'; items: Item[] }
  | { type: 'messages'; items: Message[] }
  | { type: 'unreadable'; reason: string }
  | Table;

export interface Report {
  title: string;
  blocks: Block[];
}

/** The one version of the document that this release reads. */
export const VERSION = 1;

const KINDS: readonly Kind[] = ['text', 'integer', 'number', 'bytes', 'percent'];
const LEVELS: readonly Message['level'][] = ['note', 'warning', 'error'];
const MOST_DIGITS = 20;

/** The report in `data`, with a line of text in place of whatever cannot be read. */
export function readReport(data: unknown): Report {
  if (!isRecord(data)) {
    return { title: '', blocks: [unreadable('This report is empty.')] };
  }
  const title = asText(data.title);
  if (data.version !== VERSION) {
    const reason =
      `This report has version ${asText(data.version) || 'unknown'}, and this gsjupyter shows version ` +
      `${VERSION}. Update gsjupyter, then reload the page.`;
    return { title, blocks: [unreadable(reason)] };
  }
  return { title, blocks: records(data.blocks).map(readBlock) };
}

function readBlock(block: Record<string, unknown>): Block {
  switch (block.type) {
    case 'facts':
      return { type: 'facts', items: records(block.items).map(readItem) };
    case 'messages':
      return { type: 'messages', items: records(block.items).map(readMessage) };
    case 'table':
      return readTable(block);
    default:
      return unreadable(
        `This gsjupyter cannot show the part "${asText(block.type)}" of the report. Update gsjupyter, ` +
          'then reload the page.'
      );
  }
}

function readItem(item: Record<string, unknown>): Item {
  return { label: asText(item.label), value: asText(item.value) };
}

function readMessage(message: Record<string, unknown>): Message {
  const level = LEVELS.find(known => known === message.level) ?? 'note';
  return { level, text: asText(message.text) };
}

function readTable(table: Record<string, unknown>): Table {
  const columns = records(table.columns).map(readColumn);
  const rows = records(table.rows).map(row => columns.map(({ key }) => readCell(row, key)));
  return { type: 'table', title: asText(table.title), columns, rows };
}

function readColumn(column: Record<string, unknown>): Column {
  const key = asText(column.key);
  return {
    key,
    label: asText(column.label) || key,
    kind: KINDS.find(known => known === column.kind) ?? 'text',
    digits: readDigits(column.digits),
    bar: column.bar === true
  };
}

function readDigits(digits: unknown): number | undefined {
  return typeof digits === 'number' && digits >= 0 && digits <= MOST_DIGITS
    ? Math.trunc(digits)
    : undefined;
}

function readCell(row: Record<string, unknown>, key: string): Cell {
  // A layer's statistics may be named like a property every object has, so only its own keys count.
  const value = Object.hasOwn(row, key) ? row[key] : null;
  return typeof value === 'number' ? value : asText(value) || null;
}

function unreadable(reason: string): Block {
  return { type: 'unreadable', reason };
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return value === null || value === undefined ? '' : JSON.stringify(value);
  }
}
