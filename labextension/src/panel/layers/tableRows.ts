/** The rows of the table of layers: pure, so that sorting and writing numbers can be tested without a page. */

import { settingText } from './chartLayers';
import type { LayerPrediction } from '../core/prediction';
import type { Cell, Layer, LayerResult } from '../types';
import {
  decibelNumber,
  decibelText,
  formatBytes,
  NOTHING,
  numberText,
  percentText
} from './numbers';

export type ColumnKey =
  | 'layer'
  | 'operator'
  | 'setting'
  | 'sqnr'
  | 'trueSqnr'
  | 'inputSqnr'
  | 'before'
  | 'after'
  | 'share'
  | 'low'
  | 'high'
  | 'note';

export interface Column {
  key: ColumnKey;
  number: boolean;
}

/** One layer's texts by column, and what sorting compares. */
export interface Row {
  layer: number;
  texts: string[];
  values: Cell[];
}

export type Sort = { column: number; descending: boolean } | null;

const COLUMNS: readonly Column[] = [
  { key: 'layer', number: false },
  { key: 'operator', number: false },
  { key: 'setting', number: false },
  { key: 'sqnr', number: true },
  { key: 'trueSqnr', number: true },
  { key: 'inputSqnr', number: true },
  { key: 'before', number: true },
  { key: 'after', number: true },
  { key: 'share', number: true },
  { key: 'low', number: true },
  { key: 'high', number: true },
  { key: 'note', number: false }
];

/** The columns that have something to say. */
export function columnsOf(applied: boolean, quantizedInputs: boolean, notes: boolean): Column[] {
  return COLUMNS.filter(
    ({ key }) =>
      (applied || key !== 'trueSqnr') &&
      (quantizedInputs || key !== 'inputSqnr') &&
      (notes || key !== 'note')
  );
}

/** A row of `columns`. */
export function rowOf(
  layer: number,
  known: Layer,
  predicted: LayerPrediction,
  truth: LayerResult | null,
  columns: readonly Column[]
): Row {
  const cells = columns.map(({ key }) => cell(key, known, predicted, truth));
  return { layer, texts: cells.map(([text]) => text), values: cells.map(([, value]) => value) };
}

function cell(
  key: ColumnKey,
  known: Layer,
  predicted: LayerPrediction,
  truth: LayerResult | null
): [string, Cell] {
  switch (key) {
    case 'layer':
      return [known.name, known.name];
    case 'operator':
      return [known.operator, known.operator];
    case 'setting':
      return [settingText(predicted), predicted.bits ?? 32];
    case 'sqnr':
      return [decibelText(predicted.sqnrDb), decibelNumber(predicted.sqnrDb)];
    case 'trueSqnr':
      return truth === null
        ? [NOTHING, null]
        : [decibelText(truth.sqnr_db), decibelNumber(truth.sqnr_db)];
    case 'inputSqnr':
      return [decibelText(predicted.inputSqnrDb), decibelNumber(predicted.inputSqnrDb)];
    case 'before':
      return [formatBytes(known.float_bytes), known.float_bytes];
    case 'after':
      return [formatBytes(predicted.bytes), predicted.bytes];
    case 'share':
      return [percentText(predicted.share), predicted.share];
    case 'low':
      return [numberText(known.low), known.low];
    case 'high':
      return [numberText(known.high), known.high];
    case 'note': {
      const note = known.obstacle || (truth?.note ?? '');
      return [note, note || null];
    }
  }
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** `rows` ordered by a column; what has no value comes last in both directions, equals stay as they are. */
export function sorted(rows: readonly Row[], sort: Sort): Row[] {
  if (sort === null) {
    return [...rows];
  }
  const { column, descending } = sort;
  return [...rows].sort((a, b) => compared(a.values[column], b.values[column], descending));
}

function compared(one: Cell, other: Cell, descending: boolean): number {
  if (one === null || other === null) {
    return Number(one === null) - Number(other === null);
  }
  const forward =
    typeof one === 'number' && typeof other === 'number'
      ? one === other
        ? 0
        : one < other
          ? -1
          : 1
      : collator.compare(String(one), String(other));
  return descending ? -forward : forward;
}

/** The sort that a press on a heading leads to: up, down, then as in the network. */
export function nextSort(sort: Sort, column: number): Sort {
  if (sort?.column !== column) {
    return { column, descending: false };
  }
  return sort.descending ? null : { column, descending: true };
}
