/** How a layer's values lie on its grid: what the histogram of a selected layer draws. */

import { BINS } from './moments';
import { bitsOf, isNarrow } from './settings';
import type { LayerSetting } from './settings';
import type { WeightSketch } from './sketches';
import { ends, intervals } from './weightErrors';

/** Normalized: the reach of a block is 1, which is its largest value, or the width of its range if asymmetric. */
export interface WeightHistogram {
  edges: number[];
  /** Shares of the values, 1 together; each value counts by the square of its block's reach, as its error does. */
  counts: number[];
  /**
   * The values of the grid; none in float. Asymmetric blocks each have a grid of their own: this is one for the mean.
   */
  grid: number[];
  clipLow: number;
  clipHigh: number;
}

/** Bins that are drawn: as many as a chart has pixels, or fewer. */
const DRAWN = 256;

const EDGES = Array.from({ length: DRAWN + 1 }, (_, edge) => (2 * edge) / DRAWN - 1);

const counted = new WeakMap<WeightSketch, number[]>();

/** The histogram of a weight, with the grid of a setting that keeps so much of the range. */
export function histogramOf(
  sketch: WeightSketch,
  setting: LayerSetting,
  clipping: number
): WeightHistogram {
  const zeroShare = sketch.ends?.zeroShare ?? null;
  const bits = bitsOf(setting.weights);
  const grid = bits === null ? [] : gridOf(bits, clipping, isNarrow(setting), zeroShare);
  return {
    edges: EDGES,
    counts: countsOf(sketch),
    grid,
    clipLow: grid[0] ?? -(zeroShare ?? 1),
    clipHigh: grid.at(-1) ?? 1 - (zeroShare ?? 0)
  };
}

function gridOf(
  bits: number,
  clipping: number,
  narrow: boolean,
  zeroShare: number | null
): number[] {
  if (zeroShare === null) {
    const [lowest, highest] = ends(bits, narrow);
    return multiples(clipping / highest, lowest, highest);
  }
  const count = intervals(bits, narrow);
  const below = Math.round(zeroShare * count);
  return multiples(clipping / count, -below, count - below);
}

function multiples(step: number, lowest: number, highest: number): number[] {
  return Array.from({ length: highest - lowest + 1 }, (_, index) => (lowest + index) * step);
}

function countsOf(sketch: WeightSketch): number[] {
  let counts = counted.get(sketch);
  if (counts === undefined) {
    const each = BINS / DRAWN;
    const sum = sketch.moments.count || 1;
    counts = EDGES.slice(1).map((_, bin) => {
      let count = 0;
      for (let own = bin * each; own < (bin + 1) * each; own++) {
        count += sketch.counts[own];
      }
      return count / sum;
    });
    counted.set(sketch, counts);
  }
  return counts;
}
