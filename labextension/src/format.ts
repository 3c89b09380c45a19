/** How a value is written: the same words, units and separators as gsjupyter's text output. */

import { Cell, Column } from './document';

/** What stands where there is no value. */
export const NOTHING = '\u2013';

const DEFAULT_DIGITS = { number: 2, percent: 1 };
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** The text of `cell` in `column`. */
export function format(cell: Cell, column: Column): string {
  if (cell === null) {
    return NOTHING;
  }
  if (typeof cell === 'string') {
    return cell;
  }
  switch (column.kind) {
    case 'text':
      return String(cell);
    case 'integer':
      return fixed(cell, 0);
    case 'number':
      return significant(cell, column.digits ?? DEFAULT_DIGITS.number);
    case 'bytes':
      return formatBytes(cell);
    case 'percent':
      return `${significant(cell * 100, column.digits ?? DEFAULT_DIGITS.percent)} %`;
  }
}

/** `bytes` in decimal units with two or three significant digits: 812 B, 2.4 kB, 79 kB, 1.3 MB. */
export function formatBytes(bytes: number): string {
  return formatBytesFinely(bytes, 0);
}

/** `bytes` with some digits `more` than `formatBytes` writes. */
export function formatBytesFinely(bytes: number, more: number): string {
  let unit = 0;
  let value = bytes;
  // 999.5 of a unit is written 1,000 when rounded, and 1.0 of the next reads better.
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && Math.abs(value) < 9.95 ? 1 : 0;
  return `${fixed(value, digits + more)} ${BYTE_UNITS[unit]}`;
}

/** A number that would round to zero is written with an exponent: nothing small is shown as nothing. */
function significant(value: number, digits: number): string {
  const lost = value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits;
  return lost ? value.toExponential(1) : fixed(value, digits);
}

function fixed(value: number, digits: number): string {
  return numberFormat(digits).format(value);
}

const numberFormats = new Map<number, Intl.NumberFormat>();

/** Made once for each number of digits: making one takes as long as writing a hundred numbers. */
function numberFormat(digits: number): Intl.NumberFormat {
  let found = numberFormats.get(digits);
  if (found === undefined) {
    found = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      signDisplay: 'negative'
    });
    numberFormats.set(digits, found);
  }
  return found;
}
