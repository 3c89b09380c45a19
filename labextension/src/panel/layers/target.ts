/** What a control turns: the network's setting, or that of some layers. Without it every control would exist twice. */

import { computed } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

import { bitsOf, isFormatGiven, settingOf } from '../core/settings';
import type { Store } from '../store';
import type { Observer, Options, Override } from '../types';

/** Where layers differ. */
export const MIXED = undefined;

/** How weights are stored: in bits, in a float format, or as what chooses the bits of each layer says. */
export type Format = 'integer' | 'float16' | 'float32' | 'chosen';

export interface Target {
  readonly kind: 'network' | 'layers';
  /** How many layers it is of. */
  readonly count: number;
  readonly format: ReadonlySignal<Format | undefined>;
  /** Of integers, chosen ones too; null where all are in float. */
  readonly bits: ReadonlySignal<number | null | undefined>;
  readonly granularity: ReadonlySignal<string | undefined>;
  readonly observer: ReadonlySignal<Observer | undefined>;
  /** null: the observer chooses it. */
  readonly clipping: ReadonlySignal<number | null | undefined>;
  /** Where sliders stand: the mean over layers. */
  readonly meanBits: ReadonlySignal<number>;
  readonly meanClipping: ReadonlySignal<number>;
  /** Whether no option changes any of its weights. */
  readonly fixed: ReadonlySignal<boolean>;
  /** Whether a budget or an allowed drop chooses bits, where nothing else is said. */
  readonly chooses: ReadonlySignal<boolean>;
  change(patch: Patch, commit: boolean): void;
}

/** What a control changes; without a format a layer has the network's, and clipping that is null is the observer's. */
export type Patch = Omit<Partial<Override>, 'clipping'> & { clipping?: number | null };

const FIRST_BITS = 8;

/** The setting of all layers that have none of their own. */
export function networkTarget(store: Store): Target {
  const { options } = store;
  const layers = store.network.layers.map((_, layer) => layer);
  const chooses = computed(() => choosesBits(options.value));
  const bits = computed(() => bitsOf(options.value.weights));
  return {
    kind: 'network',
    count: layers.length,
    format: computed(() => (chooses.value ? 'chosen' : formatOf(options.value.weights))),
    bits,
    granularity: computed(() => options.value.granularity),
    observer: computed(() => options.value.weight_observer),
    clipping: computed(() => options.value.clipping),
    meanBits: remembered(bits),
    meanClipping: meanClipping(
      store,
      layers,
      () => options.value.clipping ?? (options.value.weight_observer === 'minmax' ? 1 : null)
    ),
    fixed: computed(() => store.network.layers.every(({ obstacle }) => obstacle !== '')),
    chooses,
    change: ({ observer, ...patch }, commit) =>
      store.change(
        { ...patch, ...(observer === undefined ? {} : { weight_observer: observer }) },
        commit
      )
  };
}

/** The settings of some layers; what they don't have in common is mixed. */
export function layersTarget(store: Store, layers: number[]): Target {
  const chosen = layers.map(layer => store.network.layers[layer]);
  const settings = computed(() => chosen.map(layer => settingOf(store.options.value, layer)));
  const chooses = computed(() => choosesBits(store.options.value));
  const formats = computed(() =>
    settings.value.map((setting, index) =>
      chooses.value && !isFormatGiven(store.options.value, chosen[index])
        ? 'chosen'
        : formatOf(setting.weights)
    )
  );
  // What options say goes before the prediction, which is a frame behind: a slider would jump back under the hand.
  const eachBits = computed(() =>
    settings.value.map((setting, index) =>
      formats.value[index] === 'chosen'
        ? store.prediction.value.layers[layers[index]].bits
        : bitsOf(setting.weights)
    )
  );
  const clipping = computed(() => common(settings.value.map(one => one.clipping)));
  return {
    kind: 'layers',
    count: layers.length,
    format: computed(() => common(formats.value)),
    bits: computed(() => common(eachBits.value)),
    granularity: computed(() => common(settings.value.map(one => one.granularity))),
    observer: computed(() => common(settings.value.map(one => one.observer))),
    clipping,
    meanBits: remembered(
      computed(() => {
        const all = eachBits.value.flatMap(bits => bits ?? []);
        return all.length > 0 ? Math.round(mean(all)) : null;
      })
    ),
    meanClipping: meanClipping(store, layers, () => clipping.value ?? null),
    fixed: computed(() => chosen.every(({ obstacle }) => obstacle !== '')),
    chooses,
    change: ({ clipping: kept, ...patch }, commit) =>
      store.changeLayers(
        layers,
        kept === undefined ? patch : { ...patch, clipping: kept ?? undefined },
        commit
      )
  };
}

/** Whether something chooses the bits of layers. */
export function choosesBits(options: Options): boolean {
  return options.budget !== null || options.max_drop !== null;
}

function formatOf(weights: string): Format {
  return weights === 'float16' || weights === 'float32' ? weights : 'integer';
}

/** The value that all have; undefined where they differ. */
function common<Value>(values: readonly Value[]): Value | undefined {
  return values.every(value => value === values[0]) ? values[0] : MIXED;
}

function predicted(store: Store, layers: readonly number[]) {
  const { layers: all } = store.prediction.value;
  return layers.map(layer => all[layer]);
}

/** The last bits that there were: a slider must stand somewhere in float too. */
function remembered(bits: ReadonlySignal<number | null>): ReadonlySignal<number> {
  let last = FIRST_BITS;
  return computed(() => (last = bits.value ?? last));
}

/** What is set by hand, or the mean of what observers choose. */
function meanClipping(
  store: Store,
  layers: readonly number[],
  byHand: () => number | null
): ReadonlySignal<number> {
  return computed(() => {
    const given = byHand();
    if (given !== null) {
      return given;
    }
    const chosen = predicted(store, layers).flatMap(one => (one.bits === null ? [] : one.clipping));
    return chosen.length > 0 ? mean(chosen) : 1;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
