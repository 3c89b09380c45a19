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

/** A bar for each layer, and for the selected one its histogram. */
export interface Layers {
  type: 'layers';
  title: string;
  layers: ReportLayer[];
}

/** What is shown of a layer; null where it isn't known. */
export interface ReportLayer {
  name: string;
  operator: string;
  weights: string;
  activations: string;
  sqnrDb: number | 'inf' | null;
  inputSqnrDb: number | 'inf' | null;
  low: number | null;
  high: number | null;
  bytesBefore: number | null;
  bytesAfter: number | null;
  /** Its share of the output's error, 0 to 1. */
  errorShare: number | null;
  histogram: ReportHistogram | null;
}

/** How many weights lie in each of some bins of the same width, and the integers that they are rounded to. */
export interface ReportHistogram {
  low: number;
  high: number;
  counts: number[];
  /** Whether its numbers are the weights themselves, or steps of the grid, which differ from channel to channel. */
  inSteps: boolean;
  /** The values that the grid can hold, ascending; empty without a grid. */
  grid: number[];
  /** Between these, values are rounded to the nearest one of the grid; beyond, they are clipped. */
  clipLow: number;
  clipHigh: number;
}

export type Block =
  | { type: 'facts'; items: Item[] }
  | { type: 'messages'; items: Message[] }
  | { type: 'unreadable'; reason: string }
  | Layers
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
/** More bins than pixels, or more values of a grid than 12 bits have, nobody sees. */
const MOST_BINS = 4096;

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
    case 'layers':
      return {
        type: 'layers',
        title: asText(block.title),
        layers: records(block.layers).map(readLayer)
      };
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

function readLayer(layer: Record<string, unknown>): ReportLayer {
  return {
    name: asText(layer.name),
    operator: asText(layer.operator),
    weights: asText(layer.weights),
    activations: asText(layer.activations),
    sqnrDb: layer.sqnr_db === 'inf' ? 'inf' : asNumber(layer.sqnr_db),
    inputSqnrDb: layer.input_sqnr_db === 'inf' ? 'inf' : asNumber(layer.input_sqnr_db),
    low: asNumber(layer.low),
    high: asNumber(layer.high),
    bytesBefore: asNumber(layer.bytes_before),
    bytesAfter: asNumber(layer.bytes_after),
    errorShare: asNumber(layer.error_share),
    histogram: isRecord(layer.histogram) ? readHistogram(layer.histogram) : null
  };
}

/** null where there is no histogram to draw: a wrong picture would be worse than none. */
function readHistogram(histogram: Record<string, unknown>): ReportHistogram | null {
  const [low, high] = [asNumber(histogram.low), asNumber(histogram.high)];
  const counts = Array.isArray(histogram.counts) ? histogram.counts.map(asNumber) : [];
  const readable = counts.every((count): count is number => count !== null && count >= 0);
  if (low === null || high === null || low >= high || !readable) {
    return null;
  }
  if (counts.length === 0 || counts.length > MOST_BINS) {
    return null;
  }
  const grid = readGrid(histogram);
  const [clipLow, clipHigh] = clippedEnds({ low, high, counts }, grid, asNumber(histogram.scale));
  return { low, high, counts, inSteps: histogram.unit === 'scale', grid, clipLow, clipHigh };
}

/** Values round to the grid's ends up to half a step beyond them. */
function clippedEnds(
  { low, high, counts }: { low: number; high: number; counts: number[] },
  grid: number[],
  step: number | null
): [number, number] {
  if (grid.length === 0 || step === null) {
    return [low, high];
  }
  const ends: [number, number] = [grid[0] - step / 2, grid[grid.length - 1] + step / 2];
  // Which part of a bin lies beyond an end isn't known; most often none does.
  const width = (high - low) / counts.length;
  return [ends[0] - low < width ? low : ends[0], high - ends[1] < width ? high : ends[1]];
}

function readGrid(histogram: Record<string, unknown>): number[] {
  const scale = asNumber(histogram.scale);
  const zeroPoint = asNumber(histogram.zero_point);
  const [first, last] = [asNumber(histogram.grid_low), asNumber(histogram.grid_high)];
  if (scale === null || zeroPoint === null || first === null || last === null || scale <= 0) {
    return [];
  }
  const count = Math.floor(last - first) + 1;
  return count > 0 && count <= MOST_BINS
    ? Array.from({ length: count }, (_, index) => (first + index - zeroPoint) * scale)
    : [];
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
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
