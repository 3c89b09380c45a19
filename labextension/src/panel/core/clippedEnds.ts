/**
 * What clipping costs asymmetric blocks: `gsjupyter.quantization.clipped_ends`, the quadratics of all bins added up
 * once.
 *
 * A bin's moments are weights of the cost at its two edges and in its middle. An edge belongs to two bins, so that a
 * class of blocks has 257 weights on either side of 0.
 */

/** Bins between 0 and the end of a block, on either side. */
export const END_BINS = 128;

const NODES = 2 * END_BINS + 1;

/** Four even places with mean 0 and variance 1: they stand for the zero shares of the blocks of a class. */
const SPREAD = [-3, -1, 1, 3].map(place => place / Math.sqrt(5));

const SMALLEST_PART = 1e-9;

/** Adding and taking away rounds to the nearest whole number, a tie to the even one, as numpy does. */
const ROUNDER = 1.5 * 2 ** 52;

export class ClippedEnds {
  readonly #classes: EndClass[] = [];

  /**
   * Add the blocks of about the same zero share.
   *
   * `shares` are sums of 1, of their zero shares and of the squares of these; `below` and `above` the weights of the
   * nodes on either side, as `nodeWeights` has them.
   */
  add(shares: readonly number[], below: Float32Array, above: Float32Array): void {
    const mean = shares[1] / shares[0];
    const square = shares[2] / shares[0];
    const deviation = Math.sqrt(Math.max(square - mean * mean, 0));
    this.#classes.push({ weight: shares[0], mean, deviation, below, above });
  }

  /** The zero share of all blocks on average: how much of a range lies below 0. */
  get zeroShare(): number {
    let weights = 0;
    let sum = 0;
    for (const { weight, mean } of this.#classes) {
      weights += weight;
      sum += weight * mean;
    }
    return weights > 0 ? sum / weights : 0.5;
  }

  /** What clipping adds to the squared error of rounding, over the squared range of a block. */
  clippingCost(intervals: number, clipping: number): number {
    let total = 0;
    for (const { mean, deviation, below, above } of this.#classes) {
      // One block alone has all four places in one.
      const places = deviation === 0 ? 1 : SPREAD.length;
      let cost = 0;
      for (let place = 0; place < places; place++) {
        const share = Math.min(Math.max(mean + deviation * SPREAD[place], 0), 1);
        const steps = share * intervals + ROUNDER - ROUNDER;
        cost +=
          costBeyond(below, steps, intervals, share, clipping) +
          costBeyond(above, intervals - steps, intervals, 1 - share, clipping);
      }
      total += cost / places;
    }
    return total;
  }
}

interface EndClass {
  readonly weight: number;
  readonly mean: number;
  readonly deviation: number;
  readonly below: Float32Array;
  readonly above: Float32Array;
}

/** The weights of 257 nodes from 0 to 1, from the counts of 128 bins and the positions in them, as in `momentsOf`. */
export function nodeWeights(
  counts: Float32Array,
  mean: (bin: number) => number,
  deviation: (bin: number) => number
): Float32Array {
  const weights = new Float64Array(NODES);
  for (let bin = 0; bin < END_BINS; bin++) {
    const count = counts[bin];
    const along = count * mean(bin);
    const square = count * (mean(bin) ** 2 + deviation(bin) ** 2);
    weights[2 * bin] += count - 3 * along + 2 * square;
    weights[2 * bin + 1] = 4 * along - 4 * square;
    weights[2 * bin + 2] = 2 * square - along;
  }
  return Float32Array.from(weights);
}

/**
 * The difference of two squared errors, that of the last grid value and that of the nearest multiple of the step. It
 * begins half a step beyond the last grid value, where the two part, which is never before the clipping.
 */
function costBeyond(
  weights: Float32Array,
  last: number,
  intervals: number,
  part: number,
  clipping: number
): number {
  const step = clipping / (intervals * Math.max(part, SMALLEST_PART));
  const scale = 1 / (step * (NODES - 1));
  let total = 0;
  for (let node = Math.ceil((NODES - 1) * (last + 0.5) * step); node < NODES; node++) {
    const position = node * scale;
    const nearest = position + ROUNDER - ROUNDER;
    total += weights[node] * (nearest - last) * (2 * position - nearest - last);
  }
  return total * step * step;
}
