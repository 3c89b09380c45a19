/** What charts are given to draw: without these shapes the panel and reports would each need charts of their own. */

import type { Decibel } from '../panel/types';

export type Language = 'en' | 'zh';

export type Measure = 'sqnr' | 'inputSqnr' | 'bytes' | 'share' | 'bits' | 'range';

/** One layer's numbers, by measure. */
export interface LayerValues {
  sqnr: Decibel;
  inputSqnr: Decibel;
  bytes: number;
  /** The share of the output's error, 0 to 1; null where it isn't known. */
  share: number | null;
  /** null in float. */
  bits: number | null;
  /** Smallest and largest weight. */
  range: [number, number];
}

export interface ChartLayer {
  name: string;
  /** The operator and its setting, in a few words. */
  detail: string;
  /** What is predicted, or, in a report, what was found. */
  value: LayerValues;
  /** What Apply found; null before. */
  truth: Partial<LayerValues> | null;
  /** Fixed or pending: no option changes it, or its number is still to come. */
  muted: boolean;
}

export interface LayersView {
  measure: Measure;
  /** Numbers of layers, from left to right; layers that are not in it aren't shown. */
  order: number[];
  /** Numbers of layers. */
  selected: number[];
  language: Language;
  /** The layer that is pointed at elsewhere, in a list for example. */
  hovered?: number | null;
}

export interface HistogramData {
  /** One more than counts, ascending. */
  edges: number[];
  counts: number[];
  /** The values that the grid can hold, ascending; empty in float. */
  grid: number[];
  clipLow: number;
  clipHigh: number;
  caption: string;
}

export interface CurveData {
  bytes: number[];
  sqnrDb: number[];
  now: CurvePoint | null;
  /** All layers with the same bits. */
  uniform: (CurvePoint & { bits: number })[];
  /** What Apply found. */
  truths: (CurvePoint & { label: string })[];
}

export interface CurvePoint {
  bytes: number;
  sqnrDb: Decibel;
}
