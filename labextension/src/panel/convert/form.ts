/** What the form shows, which rests out of sight: without it, each move of a slider elsewhere would draw it anew. */

import { computed } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

import type { Prediction } from '../core/prediction';
import type { Store } from '../store';
import type { Options } from '../types';

/** The part of a store that the Convert tab needs. */
export interface FormStore extends Pick<
  Store,
  'network' | 'predictor' | 'problem' | 'sensitivity' | 'results' | 'live' | 'change'
> {
  readonly options: ReadonlySignal<Options>;
  readonly prediction: ReadonlySignal<Prediction>;
}

/** The form of `store`; what a moving slider changes stands still in it while `isShown`, a signal's value, is false. */
export function formOf(store: Store, isShown: () => boolean): FormStore {
  const { network, predictor, problem, sensitivity, results } = store;
  return {
    ...{ network, predictor, problem, sensitivity, results },
    options: whileShown(store.options, isShown),
    prediction: whileShown(store.prediction, isShown),
    get live() {
      return store.live;
    },
    change: (patch, commit) => store.change(patch, commit)
  };
}

function whileShown<Value>(
  source: ReadonlySignal<Value>,
  isShown: () => boolean
): ReadonlySignal<Value> {
  let last = source.peek();
  return computed(() => {
    if (isShown()) {
      last = source.value;
    }
    return last;
  });
}
