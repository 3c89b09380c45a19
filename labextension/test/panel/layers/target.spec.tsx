import { describe, expect, it } from 'vitest';

import { ModelConnection } from '../../../src/panel/connection';
import { DEFAULTS } from '../../../src/panel/core/settings';
import { layersTarget, networkTarget } from '../../../src/panel/layers/target';
import { Store } from '../../../src/panel/store';
import type { Options } from '../../../src/panel/types';
import { MadeUpModel, MadeUpPredictor, stateOf } from '../madeUp';

function open(options: Partial<Options>): Store {
  const state = stateOf({ options: { ...DEFAULTS, weights: 'int8', ...options } });
  return new Store(new ModelConnection(new MadeUpModel(state)), new MadeUpPredictor(state.network));
}

describe('the target of the whole network', () => {
  it('turns an observer into that of weights, which takes the clipping back', () => {
    const store = open({ clipping: 0.8 });
    const target = networkTarget(store);
    expect([target.clipping.value, target.meanClipping.value]).toEqual([0.8, 0.8]);
    target.change({ observer: 'mse', clipping: null }, false);
    expect(store.options.value).toMatchObject({ weight_observer: 'mse', clipping: null });
    expect('observer' in store.options.value).toBe(false);
  });

  it('keeps the last bits for the slider while weights are in float', () => {
    const store = open({ weights: 'int5' });
    const target = networkTarget(store);
    expect(target.meanBits.value).toBe(5);
    target.change({ weights: 'float16' }, false);
    expect([target.format.value, target.bits.value, target.meanBits.value]).toEqual([
      'float16',
      null,
      5
    ]);
  });

  it('says that a budget or an allowed drop chooses', () => {
    const of = (options: Partial<Options>) =>
      networkTarget(open({ weights: 'float32', ...options })).format.value;
    expect([of({ budget: '4x' }), of({ max_drop: '30dB' }), of({})]).toEqual([
      'chosen',
      'chosen',
      'float32'
    ]);
  });
});

describe('the target of some layers', () => {
  it('has what they have in common, and nothing where they differ', () => {
    const store = open({ layers: { fc1: { weights: 'int4', clipping: 0.7 } } });
    const both = layersTarget(store, [2, 3]);
    expect([both.bits.value, both.clipping.value]).toEqual([undefined, undefined]);
    expect([both.granularity.value, both.format.value]).toEqual(['channel', 'integer']);
    expect(both.meanBits.value).toBe(6);
    expect(both.meanClipping.value).toBeCloseTo(0.85, 9);
    both.change({ weights: 'int3' }, false);
    expect(both.bits.value).toBe(3);
    expect(store.options.value.layers).toEqual({
      fc1: { weights: 'int3', clipping: 0.7 },
      fc2: { weights: 'int3' }
    });
  });

  it('follows options at once, the prediction a frame later', () => {
    const store = open({});
    const target = layersTarget(store, [0]);
    target.change({ weights: 'int2' }, false);
    expect(store.prediction.value.layers[0].bits).toBe(8);
    expect([target.bits.value, target.meanBits.value]).toEqual([2, 2]);
  });

  it('gives the clipping back to the observer by leaving it out', () => {
    const store = open({ layers: { fc1: { clipping: 0.7 } } });
    layersTarget(store, [2]).change({ observer: 'mse', clipping: null }, false);
    expect(store.options.value.layers).toEqual({ fc1: { observer: 'mse' } });
  });

  it('shows the bits that a budget chooses, where no format is given', () => {
    const store = open({ weights: 'float32', budget: '8x', layers: { fc1: { weights: 'int6' } } });
    const chosen = layersTarget(store, [0]);
    const given = layersTarget(store, [2]);
    expect([chosen.format.value, chosen.bits.value]).toEqual(['chosen', 4]);
    expect([given.format.value, given.bits.value]).toEqual(['integer', 6]);
    given.change({ weights: undefined }, false);
    expect([given.format.value, store.options.value.layers]).toEqual(['chosen', {}]);
  });
});
