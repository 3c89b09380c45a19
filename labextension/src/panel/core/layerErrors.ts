/** The weight error of each layer at any setting, remembered: a slider that moves one layer costs one layer's sums. */

import type { ClippingTable, Layer, SketchBlock } from '../types';
import { bitsOf, isNarrow } from './settings';
import type { LayerSetting } from './settings';
import { decode } from './sketches';
import type { WeightSketch } from './sketches';
import { weightSizeBytes } from './sizes';
import { errorPower, signalPower } from './weightErrors';

/** The bits that a weight can have. */
export const BITS = [2, 3, 4, 5, 6, 7, 8] as const;

const FEWEST = BITS[0];

export class LayerErrors {
  readonly #layers: readonly Layer[];
  /** By grid, then by layer. */
  readonly #sketches = new Map<string, (WeightSketch | undefined)[]>();
  /** By observer and grid, then by layer: ratios by bits. */
  #clippings = new Map<string, Record<string, number[]>>();
  /** By layer: what was asked for last at each number of bits. */
  readonly #last: { sketch: WeightSketch; clipping: number; narrow: boolean; error: number }[][];
  readonly #sizes: Map<string, number[]>[];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
    this.#last = layers.map(() => []);
    this.#sizes = layers.map(() => new Map<string, number[]>());
  }

  async load(block: SketchBlock): Promise<void> {
    const found = await decode(block);
    const key = gridKey(block.granularity, block.symmetric);
    const grid = this.#sketches.get(key) ?? [];
    this.#sketches.set(key, grid);
    block.layers.forEach((layer, index) => (grid[layer] = found[index]));
  }

  setClippings(tables: readonly ClippingTable[]): void {
    const found = new Map<string, Record<string, number[]>>();
    for (const table of tables) {
      const key = clippingKey(table);
      found.set(key, { ...found.get(key), ...table.ratios });
    }
    this.#clippings = found;
  }

  sketch(layer: number, setting: LayerSetting): WeightSketch | null {
    return this.#sketches.get(gridKey(setting.granularity, setting.symmetric))?.[layer] ?? null;
  }

  /** The share of the range that a layer keeps at a number of bits; null if the observer's choice isn't known yet. */
  clipping(layer: number, setting: LayerSetting, bits: number): number | null {
    if (setting.clipping !== null) {
      return setting.clipping;
    }
    if (setting.observer === 'minmax') {
      return 1;
    }
    const { granularity, symmetric, observer } = setting;
    const narrow_range = isNarrow(setting);
    const key = clippingKey({ granularity, symmetric, narrow_range, observer });
    return this.#clippings.get(key)?.[layer]?.[bits - FEWEST] ?? null;
  }

  /** Whether all is there that the errors of a layer follow from. */
  isKnown(layer: number, setting: LayerSetting): boolean {
    return this.sketch(layer, setting) !== null && this.clipping(layer, setting, FEWEST) !== null;
  }

  /** The mean squared error of a layer's weight at a number of bits; null if it isn't known yet. */
  error(layer: number, setting: LayerSetting, bits: number): number | null {
    const sketch = this.sketch(layer, setting);
    const clipping = this.clipping(layer, setting, bits);
    if (sketch === null || clipping === null) {
      return null;
    }
    const narrow = isNarrow(setting);
    const last = this.#last[layer][bits];
    if (last?.sketch === sketch && last.clipping === clipping && last.narrow === narrow) {
      return last.error;
    }
    const error = errorPower(sketch, bits, clipping, narrow);
    this.#last[layer][bits] = { sketch, clipping, narrow, error };
    return error;
  }

  /** The mean square of a layer's weight; null if it isn't known yet. */
  power(layer: number, setting: LayerSetting): number | null {
    const sketch = this.sketch(layer, setting);
    return sketch === null ? null : signalPower(sketch);
  }

  /** What a layer's weights take at 2 to 8 bits. */
  sizes(layer: number, setting: LayerSetting): readonly number[] {
    const key = gridKey(setting.granularity, setting.symmetric);
    let sizes = this.#sizes[layer].get(key);
    if (sizes === undefined) {
      sizes = BITS.map(bits => sizeBytes(this.#layers[layer], { ...setting, bits }));
      this.#sizes[layer].set(key, sizes);
    }
    return sizes;
  }

  /** What a layer's weights take in a format. */
  bytes(layer: number, setting: LayerSetting, weights: string): number {
    const bits = bitsOf(weights);
    if (bits !== null) {
      return this.sizes(layer, setting)[bits - FEWEST];
    }
    const { float_bytes } = this.#layers[layer];
    return weights === 'float16' ? float_bytes / 2 : float_bytes;
  }
}

function sizeBytes(
  layer: Layer,
  storage: { bits: number; granularity: string; symmetric: boolean }
): number {
  return layer.weights.reduce(
    (sum, { shape, axis }) => sum + weightSizeBytes(shape, axis, storage),
    0
  );
}

function gridKey(granularity: string, symmetric: boolean): string {
  return `${granularity} ${symmetric}`;
}

function clippingKey(table: Omit<ClippingTable, 'ratios'>): string {
  const { observer, granularity, symmetric, narrow_range } = table;
  return `${observer} ${granularity} ${symmetric} ${symmetric && narrow_range}`;
}
