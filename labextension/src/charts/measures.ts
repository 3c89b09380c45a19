/** The numbers that a chart of layers can show: each with its axis and how it is written. */

import * as numbers from './numbers';
import { Scale, linearScale, logScale } from './scale';
import type { ChartLayer, LayerValues, Measure } from './types';
import type { Words } from './words';
import { filled } from './words';

export const MEASURES: readonly Measure[] = [
  'sqnr',
  'inputSqnr',
  'bytes',
  'share',
  'bits',
  'range'
];

/** Where a bar starts and ends, in the measure's unit. */
export interface Extent {
  low: number;
  high: number;
  /** There is no error at all: the bar has no end. */
  endless: boolean;
}

export interface Axis {
  scale: Scale;
  title: string;
  /** Where bars start. */
  base: number;
  written(tick: number): string;
}

/** What of `values` the bar of `measure` shows; null where nothing is known. */
export function extentOf(values: Partial<LayerValues> | null, measure: Measure): Extent | null {
  const value = values?.[measure];
  if (value === undefined || value === null) {
    return null;
  }
  if (value === 'inf') {
    return { low: 0, high: 0, endless: true };
  }
  const [low, high] = Array.isArray(value) ? value : [0, value];
  return Number.isFinite(low) && Number.isFinite(high) ? { low, high, endless: false } : null;
}

/** The number that layers are compared by: of a range, how wide it is. */
export function magnitudeOf(values: Partial<LayerValues> | null, measure: Measure): number | null {
  const extent = extentOf(values, measure);
  return extent && (extent.endless ? Infinity : extent.high - extent.low);
}

/** `values` as text, with its unit. */
export function written(
  values: Partial<LayerValues> | null,
  measure: Measure,
  words: Words
): string {
  const extent = extentOf(values, measure);
  if (!extent) {
    return numbers.decibels(null);
  }
  if (extent.endless) {
    return words.noError;
  }
  switch (measure) {
    case 'sqnr':
    case 'inputSqnr':
      return numbers.decibels(extent.high);
    case 'bytes':
      return numbers.bytes(extent.high);
    case 'share':
      return numbers.percent(extent.high);
    case 'bits':
      return filled(words.bitsLabel, { bits: numbers.short(extent.high) });
    case 'range':
      return filled(words.to, {
        low: numbers.short(extent.low),
        high: numbers.short(extent.high)
      });
  }
}

/** The axis on which the values of all layers, and what was measured of them, have room. */
export function axisOf(layers: readonly ChartLayer[], measure: Measure, words: Words): Axis {
  const [low, high] = span(layers, measure);
  switch (measure) {
    case 'sqnr':
    case 'inputSqnr':
      return axis(linearScale(Math.min(0, low), Math.max(10, high)), words.sqnrAxis, numbers.short);
    case 'bytes': {
      const scale = logScale(Math.max(1, low), Math.max(10, high));
      return { ...axis(scale, words.bytesAxis, numbers.bytes), base: scale.low };
    }
    case 'share': {
      const percent = (tick: number) => `${numbers.short(100 * tick)} %`;
      return axis(linearScale(0, high > 0 ? high : 1), words.shareAxis, percent);
    }
    case 'bits':
      return axis(
        linearScale(0, high > 16 ? 32 : high > 8 ? 16 : 8),
        words.bitsAxis,
        numbers.short
      );
    case 'range':
      return axis(linearScale(Math.min(0, low), Math.max(0, high)), words.rangeAxis, numbers.short);
  }
}

function axis(scale: Scale, title: string, write: (tick: number) => string): Axis {
  return { scale, title, base: 0, written: write };
}

/** The smallest and the largest value; of bytes the smallest that isn't zero, since no logarithm is. */
function span(layers: readonly ChartLayer[], measure: Measure): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { value, truth } of layers) {
    for (const extent of [extentOf(value, measure), extentOf(truth, measure)]) {
      if (extent && !extent.endless) {
        const start = measure === 'bytes' ? extent.high : extent.low;
        low = start > 0 || measure !== 'bytes' ? Math.min(low, start, extent.high) : low;
        high = Math.max(high, extent.high);
      }
    }
  }
  return low <= high ? [low, high] : [0, 0];
}
