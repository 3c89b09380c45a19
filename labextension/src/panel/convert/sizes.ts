/** Budgets on a slider: ratios to float32, in the form that people write. */

/** Ratios that a slider offers between two sizes, in tenths: none of them beyond what is possible. */
export function ratiosBetween(
  smallest: number,
  largest: number,
  floatBytes: number
): { low: number; high: number } | null {
  const low = Math.ceil((10 * floatBytes) / largest) / 10;
  const high = Math.floor((10 * floatBytes) / smallest) / 10;
  return Number.isFinite(low) && Number.isFinite(high) && low < high ? { low, high } : null;
}

/** `6.2x`; the form in which a slider's ratio becomes a budget. */
export function ratioText(ratio: number): string {
  return `${Number(ratio.toFixed(2))}x`;
}
