/** What rounding to a grid costs a histogram: `gsjupyter.quantization.bin_errors`, by ranges of bins. */

import { BINS, MIDDLE, above, below } from './moments';
import type { Moments } from './moments';

/** On grids with more values than this in a bin, every bin loses what even values do: `step^2 / 12`. */
const FINEST_SPACING = 1 / 16;

/** A grid, as what to multiply moments with. It depends on the setting alone, so that all layers share it. */
export interface GridCosts {
  readonly size: number;
  /** Ranges of bins between rounding boundaries, as places in `Moments.sums`. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The grid value of each range. */
  readonly values: Float64Array;
  /** The last bin of each range as a place in `Moments.local`, and what to multiply its moments with: its kink. */
  readonly bins: Int32Array;
  readonly kinks: Float64Array;
  /** What each value loses on a grid that is too fine for all this; 0 on others. */
  readonly even: number;
}

/** The costs of a grid of the values `k step`, from the lowest k to the highest; what lies beyond goes to the last. */
export function boundedCosts(step: number, lowest: number, highest: number): GridCosts {
  const spacing = (step * BINS) / 2;
  const ranges = new Ranges(Math.min(highest - lowest, BINS) + 2);
  let value = lowest;
  for (; value < highest; value++) {
    const boundary = (value + 0.5) * spacing + MIDDLE;
    const bin = Math.ceil(boundary) - 1;
    if (bin >= BINS) {
      break;
    }
    if (bin >= 0) {
      ranges.addThrough(bin, value * spacing);
      ranges.addKink(bin, boundary, -2 * spacing);
    }
  }
  ranges.addThrough(BINS - 1, value * spacing);
  return ranges.costs();
}

/** The costs of a grid without ends: what rounding costs, and clipping not. */
export function unboundedCosts(step: number): GridCosts {
  const spacing = (step * BINS) / 2;
  if (spacing < FINEST_SPACING) {
    return { ...new Ranges(0).costs(), even: (spacing * spacing) / 12 };
  }
  return boundedCosts(step, Math.floor(-MIDDLE / spacing), Math.ceil(MIDDLE / spacing));
}

/** The squared error of a histogram on a grid, in units of a bin's width. */
export function squaredError(costs: GridCosts, moments: Moments): number {
  const { size, from, to, values, bins, kinks } = costs;
  const { sums, local } = moments;
  let total = costs.even * moments.count;
  for (let range = 0, kink = 0; range < size; range++, kink += 3) {
    const start = from[range];
    const end = to[range];
    const value = values[range];
    const bin = bins[range];
    total +=
      value * (value * (sums[end] - sums[start]) - 2 * (sums[end + 1] - sums[start + 1])) +
      (sums[end + 2] - sums[start + 2]) +
      kinks[kink] * local[bin] +
      kinks[kink + 1] * local[bin + 1] +
      kinks[kink + 2] * local[bin + 2];
  }
  return total;
}

/** Ranges of bins while they are found, from left to right. */
class Ranges {
  #size = 0;
  #end = 0;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #values: Float64Array;
  readonly #bins: Int32Array;
  readonly #kinks: Float64Array;

  constructor(most: number) {
    this.#from = new Int32Array(most);
    this.#to = new Int32Array(most);
    this.#values = new Float64Array(most);
    this.#bins = new Int32Array(most);
    this.#kinks = new Float64Array(3 * most);
  }

  /** Add the bins up to this one, itself too, whose values go to one grid value. A range never has 0 within. */
  addThrough(bin: number, value: number): void {
    if (this.#end < MIDDLE && bin >= MIDDLE) {
      this.#add(MIDDLE, below, value);
    }
    if (this.#end <= bin) {
      this.#add(bin + 1, bin < MIDDLE ? below : above, value);
    }
  }

  /**
   * Add `slope max(0, u - boundary)` in the last bin: the quadratic that is nearest to it on that bin, as a projection
   * on the Legendre polynomials 1, 2x - 1 and 6x^2 - 6x + 1 of the position from 0 to 1.
   */
  addKink(bin: number, boundary: number, slope: number): void {
    const part = 1 - (boundary - bin);
    const square = part * part;
    const constant = square / 2;
    const linear = 3 * (square / 2 - (square * part) / 3);
    const curved = (5 * square * (1 - part) ** 2) / 2;
    const kink = 3 * (this.#size - 1);
    this.#kinks[kink] += slope * (constant - linear + curved);
    this.#kinks[kink + 1] += slope * (2 * linear - 6 * curved);
    this.#kinks[kink + 2] += slope * 6 * curved;
  }

  costs(): GridCosts {
    const size = this.#size;
    return {
      size,
      from: this.#from.subarray(0, size),
      to: this.#to.subarray(0, size),
      values: this.#values.subarray(0, size),
      bins: this.#bins.subarray(0, size),
      kinks: this.#kinks.subarray(0, 3 * size),
      even: 0
    };
  }

  #add(end: number, placeOf: (edge: number) => number, value: number): void {
    this.#from[this.#size] = placeOf(this.#end);
    this.#to[this.#size] = placeOf(end);
    this.#values[this.#size] = value;
    this.#bins[this.#size] = 3 * (end - 1);
    this.#size++;
    this.#end = end;
  }
}
