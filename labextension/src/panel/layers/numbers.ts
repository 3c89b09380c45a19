/** How the panel writes its numbers: without it, charts, tables and readouts would each round in their own way. */

import { formatBytes, NOTHING } from '../../format';
import type { Decibel } from '../types';

export { decibels as decibelText } from '../../charts/numbers';
export { formatBytes, NOTHING };

/** How many times smaller: 7.9x, 16x. */
export function timesText(ratio: number): string {
  if (!Number.isFinite(ratio) || ratio <= 0) {
    return NOTHING;
  }
  return `${ratio.toFixed(ratio < 99.95 ? 1 : 0)}\u00d7`;
}

/** A share between 0 and 1 as 12 %, 1.2 % or 0.03 %. */
export function percentText(share: number | null): string {
  if (share === null) {
    return NOTHING;
  }
  const percent = 100 * share;
  const digits = percent >= 9.95 || percent === 0 ? 0 : percent >= 0.095 ? 1 : 2;
  return percent > 0 && percent < 0.005 ? '< 0.01 %' : `${percent.toFixed(digits)} %`;
}

/** Three significant digits, without an exponent where that reads well. */
export function numberText(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 0.001 || magnitude >= 1e6)) {
    return value.toExponential(2);
  }
  return String(Number(value.toPrecision(3)));
}

/** Whole numbers with thousands apart: 61,470. */
export function countText(value: number): string {
  return value.toLocaleString('en-US');
}

/** 64 x 3 x 7 x 7. */
export function shapeText(shape: readonly number[]): string {
  return shape.length > 0 ? shape.join(' \u00d7 ') : 'scalar';
}

/** A number for sorting: what has no error is larger than any, and what isn't known is null. */
export function decibelNumber(value: Decibel): number | null {
  return value === 'inf' ? Infinity : value;
}
