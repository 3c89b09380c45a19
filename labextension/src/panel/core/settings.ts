/** Which settings each layer gets, as `gsjupyter.passes.selection` has it: one reading of overrides on both sides. */

import type { Layer, Observer, Options, Override } from '../types';
import { firstMatch } from './globs';

/** How one layer is quantized. */
export interface LayerSetting {
  weights: string;
  activations: string;
  granularity: string;
  symmetric: boolean;
  narrow_range: boolean;
  observer: Observer;
  /** The share of the range that is kept; null leaves it to the observer. */
  clipping: number | null;
}

/** The options that change nothing. */
export const DEFAULTS: Options = {
  weights: 'float32',
  activations: 'float32',
  granularity: 'channel',
  symmetric: true,
  narrow_range: true,
  weight_observer: 'minmax',
  activation_observer: 'minmax',
  clipping: null,
  rounding: 'nearest',
  equalize: false,
  smooth: false,
  bias_correction: false,
  layers: {},
  budget: null,
  max_drop: null,
  simulate: true
};

/** What an override says of a layer, by its name or else by the first glob that it matches; null if none does. */
export type FindOverride = (name: string) => Override | null;

/** How to find overrides: for many layers and names, each glob is held against a name only once. */
export function overrideFinder({ layers }: Options): FindOverride {
  const globs = Object.keys(layers).filter(pattern => /[*?[]/.test(pattern));
  const found = new Map<string, Override | null>();
  return name => {
    if (Object.hasOwn(layers, name)) {
      return layers[name];
    }
    if (globs.length === 0) {
      return null;
    }
    let override = found.get(name);
    if (override === undefined) {
      const glob = firstMatch(name, globs);
      override = glob === undefined ? null : layers[glob];
      found.set(name, override);
    }
    return override;
  };
}

export function overrideOf(options: Options, name: string): Override | null {
  return overrideFinder(options)(name);
}

/** The setting of the layer of this name. */
export function effective(
  options: Options,
  name: string,
  find: FindOverride = overrideFinder(options)
): LayerSetting {
  const setting: LayerSetting = {
    weights: options.weights,
    activations: options.activations,
    granularity: options.granularity,
    symmetric: options.symmetric,
    narrow_range: options.narrow_range,
    observer: options.weight_observer,
    clipping: options.clipping
  };
  const override = find(name);
  return override === null ? setting : overridden(setting, override);
}

/**
 * The setting of weights that several layers share. They stay in float if one of the layers is kept so, or if the
 * layers don't agree on the grid.
 */
export function settingOf(
  options: Options,
  layer: Layer,
  find: FindOverride = overrideFinder(options)
): LayerSetting {
  const setting = effective(options, layer.name, find);
  for (const name of layer.names) {
    const other = name === layer.name ? setting : effective(options, name, find);
    if (!sameGrid(setting, other)) {
      const float = [setting, other].find(({ weights }) => bitsOf(weights) === null);
      return { ...setting, weights: float?.weights ?? 'float32' };
    }
  }
  return setting;
}

/**
 * Whether no budget chooses the bits of a layer: an override says its format, or layers don't agree on their weight's.
 */
export function isFormatGiven(
  options: Options,
  layer: Layer,
  find: FindOverride = overrideFinder(options)
): boolean {
  const isGiven = layer.names.some(name => find(name)?.weights !== undefined);
  if (isGiven || layer.names.length === 1) {
    return isGiven;
  }
  const setting = effective(options, layer.name, find);
  return !layer.names.every(name => sameGrid(setting, effective(options, name, find)));
}

/** The bits of an integer format, `int4` for example; null for floats. */
export function bitsOf(weights: string): number | null {
  const found = /^int([2-8])$/.exec(weights);
  return found === null ? null : Number(found[1]);
}

/** An asymmetric grid has no end to leave out: its zero point lies where the range needs it. */
export function isNarrow(setting: { symmetric: boolean; narrow_range: boolean }): boolean {
  return setting.narrow_range && setting.symmetric;
}

/** Whether two options mean the same. The order of overrides counts, since an earlier glob goes before a later one. */
export function sameOptions(one: Options, other: Options): boolean {
  return one === other || JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));
}

function overridden(setting: LayerSetting, override: Override): LayerSetting {
  const isFloat = override.weights === 'float32' || override.weights === 'float16';
  return {
    weights: override.weights ?? setting.weights,
    activations: override.activations ?? (isFloat ? 'float32' : setting.activations),
    granularity: override.granularity ?? setting.granularity,
    symmetric: override.symmetric ?? setting.symmetric,
    narrow_range: override.narrow_range ?? setting.narrow_range,
    observer: override.observer ?? setting.observer,
    clipping: override.clipping ?? (override.observer === undefined ? setting.clipping : null)
  };
}

function sameGrid(one: LayerSetting, other: LayerSetting): boolean {
  return (
    one.weights === other.weights &&
    one.granularity === other.granularity &&
    one.symmetric === other.symmetric &&
    isNarrow(one) === isNarrow(other)
  );
}

/** Options in one order; what is missing is as by default. Overrides stay in theirs, as pairs, sorted within. */
function ordered(options: Options): unknown[] {
  const values = (Object.keys(DEFAULTS) as (keyof Options)[])
    .filter(key => key !== 'layers')
    .map(key => options[key] ?? DEFAULTS[key]);
  const overrides = Object.entries(options.layers).map(([name, override]) => [
    name,
    Object.entries(override)
      .filter(([, value]) => value !== undefined && value !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  ]);
  return [values, overrides];
}
