/**
 * The histogram of a weight as sums over ranges of bins: without them, each setting would cost a pass over 2048 bins.
 *
 * All values between two rounding boundaries go to one grid value, so that their error follows from three sums, and a
 * grid of n values takes n steps. Everything is in units of a bin's width, where bins begin at whole numbers, and
 * counts are over the largest.
 */

/** Bins over [-1, 1], the range of a block. */
export const BINS = 2048;

/** The number of the bin that begins at 0. */
export const MIDDLE = BINS / 2;

export interface Moments {
  /**
   * Three numbers for each edge of a bin: count, sum of values and sum of squares, from the edge outwards, negative
   * above 0. Those of the bins from one edge to the next are a difference then, and far out, where a grid value's
   * square is large, no large number is subtracted from another. The edge at 0 comes twice, as `below(MIDDLE)` and
   * `above(MIDDLE)`.
   */
  readonly sums: Float64Array;
  /** Three numbers for each bin: count, sum of positions within the bin, from 0 to 1, and of their squares. */
  readonly local: Float32Array;
  /** The sum of squares of all values, and the number of values (those of 0 don't count). */
  readonly power: number;
  readonly count: number;
}

/** Where `sums` has the edge of this number, up to the middle. */
export function below(edge: number): number {
  return 3 * edge;
}

/** Where `sums` has the edge of this number, from the middle on. */
export function above(edge: number): number {
  return 3 * (edge + 1);
}

/**
 * The moments of a histogram, from the count of each bin, and the mean and the standard deviation of the values'
 * positions in it, in units of its width.
 */
export function momentsOf(
  counts: Float32Array,
  mean: (bin: number) => number,
  deviation: (bin: number) => number
): Moments {
  const local = new Float32Array(3 * BINS);
  const sums = new Float64Array(3 * (BINS + 2));
  const add = (bin: number, from: number, to: number, sign: number) => {
    const count = counts[bin];
    const along = mean(bin);
    const spread = deviation(bin);
    const value = bin - MIDDLE + along;
    local[3 * bin] = count;
    local[3 * bin + 1] = count * along;
    local[3 * bin + 2] = count * (along * along + spread * spread);
    sums[to] = sums[from] + sign * count;
    sums[to + 1] = sums[from + 1] + sign * count * value;
    sums[to + 2] = sums[from + 2] + sign * count * (value * value + spread * spread);
  };
  for (let bin = 0; bin < MIDDLE; bin++) {
    add(bin, below(bin), below(bin + 1), 1);
  }
  for (let bin = BINS - 1; bin >= MIDDLE; bin--) {
    add(bin, above(bin + 1), above(bin), -1);
  }
  const left = below(MIDDLE);
  const right = above(MIDDLE);
  return {
    sums,
    local,
    count: sums[left] - sums[right],
    power: sums[left + 2] - sums[right + 2]
  };
}
