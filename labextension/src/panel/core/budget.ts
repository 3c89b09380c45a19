/** Budgets and allowed losses as people write them: `gsjupyter.quantization.budget`. */

const SIZE = /^(\d+(?:\.\d+)?)\s*(x|B|[KMG]i?B)?$/i;
const DROP = /^(\d+(?:\.\d+)?)\s*(dB|%)$/i;

const UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30
};

/**
 * A budget in bytes, `4x` of what is `floatBytes` large, `500KB`, or a number of bytes; null if it is none of these.
 */
export function parseBudget(text: string, floatBytes: number): number | null {
  const found = SIZE.exec(text.trim());
  const number = Number(found?.[1] ?? 0);
  const unit = (found?.[2] ?? '').toUpperCase();
  if (number === 0 || (unit === 'X' && number < 1)) {
    return null;
  }
  return Math.trunc(unit === 'X' ? floatBytes / number : number * UNITS[unit]);
}

/** What a network may lose: the output's lowest SQNR, or the share of samples classified rightly. */
export type AllowedDrop = { sqnrDb: number } | { accuracy: number };

/** `30dB` or `1%`; null if it is neither. */
export function parseMaxDrop(text: string): AllowedDrop | null {
  const found = DROP.exec(text.trim());
  if (found === null || (found[2] === '%' && Number(found[1]) > 100)) {
    return null;
  }
  const number = Number(found[1]);
  return found[2] === '%' ? { accuracy: number / 100 } : { sqnrDb: number };
}
