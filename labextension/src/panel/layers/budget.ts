/** A size budget as the slider has it: how many times smaller than in float32. */

/** Smallest step of the slider. */
export const RATIO_STEP = 0.1;

/** How many times smaller the weights may become at most, in steps of the slider; 1 where they can't. */
export function largestRatio(floatBytes: number, smallestBytes: number): number {
  const ratio = smallestBytes > 0 ? floatBytes / smallestBytes : 1;
  // A hair more than the ratio asks for must not round up to what doesn't fit.
  return Math.max(1, Math.floor(ratio / RATIO_STEP + 1e-9) * RATIO_STEP);
}

/** A ratio as an option is written: 6.2x. */
export function budgetText(ratio: number): string {
  return `${Number(ratio.toFixed(1))}x`;
}
