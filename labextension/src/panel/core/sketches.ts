/** Weights as the kernel sent them: the layout is that of `gsjupyter.widgets.sketch_format`. */

import type { SketchBlock } from '../types';
import { ClippedEnds, END_BINS, nodeWeights } from './clippedEnds';
import { inflated } from './inflate';
import { BINS, momentsOf } from './moments';
import type { Moments } from './moments';

/** What is needed of a weight to know its quantization error at any setting. */
export interface WeightSketch {
  /** The number of weights. */
  readonly size: number;
  /** What counts are over. */
  readonly largest: number;
  /** The counts of the bins over [-1, 1], over the largest. */
  readonly counts: Float32Array;
  readonly moments: Moments;
  /** What clipping costs asymmetric schemes; null for symmetric ones. */
  readonly ends: ClippedEnds | null;
}

const VERSION = 1;
const HEADER_BYTES = 16;
const MEAN_UNITS = 65535;
const DEVIATION_UNITS = 8192;
const MOST_CLASSES = 42;

/** Count, mean and deviation. */
const BIN_BYTES = 4 + 2 + 2;
const LAYER_BYTES = 8 + 4 + 4 + BINS * BIN_BYTES;
const ENDS_BYTES = 3 * 8 + 2 * END_BINS * BIN_BYTES;

/** The sketches of a block, in the order of its layers; an error if it doesn't hold them. */
export async function decode(block: SketchBlock): Promise<WeightSketch[]> {
  const layers = block.layers.length;
  const most = HEADER_BYTES + layers * (LAYER_BYTES + MOST_CLASSES * ENDS_BYTES);
  const buffer = await inflated(block.data, most);
  const [version, present, symmetric, ends] = header(buffer);
  if (version !== VERSION || present !== layers || (symmetric === 1) !== block.symmetric) {
    throw new Error('The data are no sketches of these layers.');
  }
  if (buffer.byteLength !== HEADER_BYTES + layers * LAYER_BYTES + ends * ENDS_BYTES) {
    throw new Error('The data of the sketches are not all there.');
  }
  return read(buffer, layers, ends, block.symmetric);
}

function header(buffer: ArrayBuffer): Uint32Array {
  return buffer.byteLength < HEADER_BYTES ? new Uint32Array(4) : new Uint32Array(buffer, 0, 4);
}

function read(buffer: ArrayBuffer, layers: number, ends: number, symmetric: boolean) {
  let at = HEADER_BYTES;
  const take = <T>(
    type: new (buffer: ArrayBuffer, at: number, count: number) => T,
    bytes: number,
    count: number
  ): T => {
    const found = new type(buffer, at, count);
    at += bytes * count;
    return found;
  };
  const largest = take(Float64Array, 8, layers);
  const sizes = take(Uint32Array, 4, layers);
  const classes = take(Uint32Array, 4, layers);
  const shares = take(Float64Array, 8, 3 * ends);
  const counts = take(Float32Array, 4, layers * BINS);
  const endCounts = take(Float32Array, 4, ends * 2 * END_BINS);
  const means = take(Uint16Array, 2, layers * BINS);
  const endMeans = take(Uint16Array, 2, ends * 2 * END_BINS);
  const deviations = take(Uint16Array, 2, layers * BINS);
  const endDeviations = take(Uint16Array, 2, ends * 2 * END_BINS);

  let end = 0;
  const endsOf = (layer: number): ClippedEnds => {
    const found = new ClippedEnds();
    for (const last = Math.min(end + classes[layer], ends); end < last; end++) {
      const [below, above] = [2 * end, 2 * end + 1].map(side => {
        const start = side * END_BINS;
        return nodeWeights(
          endCounts.subarray(start, start + END_BINS),
          bin => endMeans[start + bin] / MEAN_UNITS,
          bin => endDeviations[start + bin] / DEVIATION_UNITS
        );
      });
      found.add([...shares.subarray(3 * end, 3 * end + 3)], below, above);
    }
    return found;
  };

  return Array.from(sizes, (size, layer): WeightSketch => {
    const start = layer * BINS;
    const own = counts.slice(start, start + BINS);
    return {
      size,
      largest: largest[layer],
      counts: own,
      moments: momentsOf(
        own,
        bin => means[start + bin] / MEAN_UNITS,
        bin => deviations[start + bin] / DEVIATION_UNITS
      ),
      ends: symmetric ? null : endsOf(layer)
    };
  });
}
