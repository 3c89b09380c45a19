/** How charts write numbers: short enough for an axis, and never a number where none is known. */

import { NOTHING, formatBytes, formatBytesFinely } from '../format';
import type { Decibel } from '../panel/types';

/** 31.2 dB; the infinity sign where there is no error at all. */
export function decibels(value: Decibel): string {
  if (value === null) {
    return NOTHING;
  }
  return value === 'inf' ? '\u221e dB' : `${value.toFixed(1)} dB`;
}

/** 12.3 % of a share of 0.123; small shares keep a digit. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) {
    return '0 %';
  }
  return Math.abs(value) < 0.05 ? `${value.toExponential(0)} %` : `${value.toFixed(1)} %`;
}

/** Three significant digits, with an exponent where zeros would hide them. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    return value.toExponential(2).replace(/\.?0+e/, 'e');
  }
  return String(Number(value.toPrecision(3)));
}

/** What writes `sizes` in bytes, with as many digits as tell them apart. */
export function bytesApart(sizes: readonly number[]): (size: number) => string {
  const differs = (more: number) =>
    new Set(sizes.map(size => formatBytesFinely(size, more))).size === sizes.length;
  const more = [0, 1, 2, 3].find(differs) ?? 3;
  return size => formatBytesFinely(size, more);
}

export { formatBytes as bytes };
