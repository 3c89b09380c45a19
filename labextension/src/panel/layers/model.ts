/** What the parts of the Layers tab share: without it, the chart and the table would each sort, filter and wait alone. */

import { batch, computed, effect, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';

import type { ChartLayer, Measure } from '../../charts';
import type { Prediction } from '../core/prediction';
import { sameOptions } from '../core/settings';
import type { Store } from '../store';
import type { Options, Refinement, Result } from '../types';
import { chartLayers } from './chartLayers';
import { found, worstFirst } from './ordering';
import type { Sizes } from './sizes';
import { NO_SIZES, sizesOf } from './sizes';

/** How long a prediction has to stand still before slow things follow it. */
export const REST_MS = 200;

export class LayersModel {
  readonly store: Store;
  readonly measure = signal<Measure>('sqnr');
  /** Whether the worst layer by `measure` comes first, or the network's order holds. */
  readonly worstFirst = signal(false);
  /** What the names of shown layers hold. */
  readonly query = signal('');
  /** The prediction when nothing moved last: what slow things show. */
  readonly settled: Signal<Prediction>;
  /** What Apply found last with the options as they stand. */
  readonly truth: ReadonlySignal<Result | null>;
  /** The kernel's exact search for the options as they stand. */
  readonly refined: ReadonlySignal<Refinement | null>;
  readonly layers: ReadonlySignal<ChartLayer[]>;
  /** Numbers of the layers that the filter leaves, in the order of the chart. */
  readonly order: ReadonlySignal<number[]>;
  /** The best and the uniform settings of every size. */
  readonly sizes: ReadonlySignal<Sizes>;

  readonly #resting: Signal<Options>;
  readonly #end: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: Store) {
    this.store = store;
    this.settled = signal(store.prediction.peek());
    this.#resting = signal(store.options.peek());
    this.truth = computed(
      () =>
        store.results.value.findLast(one => sameOptions(one.options, store.options.value)) ?? null
    );
    this.refined = computed(() => {
      const { value } = store.refinement;
      return value !== null && sameOptions(value.options, store.options.value) ? value : null;
    });
    this.layers = computed(() =>
      chartLayers(store.network, store.prediction.value.layers, this.truth.value)
    );
    const shown = computed(() => found(store.network.layers, this.query.value));
    // By the settled prediction: bars that change places while a slider moves can't be followed.
    const settledLayers = computed(() =>
      chartLayers(store.network, this.settled.value.layers, null)
    );
    this.order = computed(() =>
      this.worstFirst.value
        ? worstFirst(settledLayers.value, shown.value, this.measure.value)
        : shown.value
    );
    const sizing = computed(() => sizingKey(this.#resting.value, store.revision.value));
    let [known, sizes] = ['', NO_SIZES];
    this.sizes = computed(() => {
      if (sizing.value !== known || sizes === NO_SIZES) {
        [known, sizes] = [sizing.value, sizesOf(store.predictor, this.#resting.peek())];
      }
      return sizes;
    });
    this.#end = effect(() => {
      void store.prediction.value;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.settle(), REST_MS);
    });
  }

  /** Let slow things follow at once. */
  settle(): void {
    clearTimeout(this.#timer);
    batch(() => {
      this.settled.value = this.store.prediction.peek();
      this.#resting.value = this.store.options.peek();
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#end();
  }
}

/** What the curve depends on: not the network's own bits, which it goes through. */
function sizingKey(options: Options, revision: number): string {
  return JSON.stringify([revision, { ...options, weights: '', budget: '', max_drop: '' }]);
}
