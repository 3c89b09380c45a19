/**
 * The error of a weight at any setting: what `WeightSketch.error_power` of gsjupyter.quantization.weight_sketch says.
 */

import { boundedCosts, squaredError, unboundedCosts } from './binErrors';
import type { GridCosts } from './binErrors';
import { BINS } from './moments';
import type { WeightSketch } from './sketches';

/** Relative error power that rounding of the moments themselves can reach. */
const RESOLUTION = 1e-13;

const WIDTH = 2 / BINS;
const MOST_CLIPPINGS = 64;

/** By bits, narrow range and symmetry, then by clipping; the bound keeps a moving slider from filling the memory. */
const known: (Map<number, GridCosts> | undefined)[] = [];

/** The mean squared error of a weight. */
export function errorPower(
  sketch: WeightSketch,
  bits: number,
  clipping: number,
  narrowRange: boolean
): number {
  const { moments, ends, largest, size } = sketch;
  if (size === 0) {
    return 0;
  }
  const costs = costsOf(bits, clipping, narrowRange, ends === null);
  let error = squaredError(costs, moments) * WIDTH * WIDTH;
  if (ends !== null) {
    error += ends.clippingCost(intervals(bits, narrowRange), clipping);
  }
  const power = moments.power * WIDTH * WIDTH;
  return error > RESOLUTION * power ? (error * largest) / size : 0;
}

/** The mean square of a weight. */
export function signalPower({ moments, largest, size }: WeightSketch): number {
  return size === 0 ? 0 : (moments.power * WIDTH * WIDTH * largest) / size;
}

/** The lowest and the highest integer of a symmetric grid. */
export function ends(bits: number, narrowRange: boolean): [number, number] {
  const half = 1 << (bits - 1);
  return [narrowRange ? 1 - half : -half, half - 1];
}

/** The distance between the highest and the lowest integer of an asymmetric grid. */
export function intervals(bits: number, narrowRange: boolean): number {
  return (1 << bits) - (narrowRange ? 2 : 1);
}

function costsOf(
  bits: number,
  clipping: number,
  narrowRange: boolean,
  symmetric: boolean
): GridCosts {
  const kind = 4 * bits + (narrowRange ? 2 : 0) + (symmetric ? 1 : 0);
  const byClipping = (known[kind] ??= new Map<number, GridCosts>());
  let costs = byClipping.get(clipping);
  if (costs === undefined) {
    if (symmetric) {
      const [lowest, highest] = ends(bits, narrowRange);
      costs = boundedCosts(clipping / highest, lowest, highest);
    } else {
      costs = unboundedCosts(clipping / intervals(bits, narrowRange));
    }
    if (byClipping.size >= MOST_CLIPPINGS) {
      byClipping.clear();
    }
    byClipping.set(clipping, costs);
  }
  return costs;
}
