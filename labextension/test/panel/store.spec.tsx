import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ModelConnection, SavedConnection } from '../../src/panel/connection';
import { DEFAULTS } from '../../src/panel/core/settings';
import { IN_PLACE } from '../../src/panel/notebookEvents';
import { Store } from '../../src/panel/store';
import type { PanelState, SketchBlock, Task } from '../../src/panel/types';
import { MadeUpModel, MadeUpPredictor, sensitivityOf, stateOf } from './madeUp';

const RUNNING: Task = {
  kind: 'apply',
  state: 'running',
  step: 'calibrate',
  done: 1,
  total: 4,
  cancelled_by: 'message',
  kernel_id: null
};

interface Opened {
  store: Store;
  model: MadeUpModel;
  predictor: MadeUpPredictor;
}

async function open(changes: Partial<PanelState> = {}): Promise<Opened> {
  const state = stateOf(changes);
  const model = new MadeUpModel(state);
  const predictor = new MadeUpPredictor(state.network);
  const store = new Store(new ModelConnection(model), predictor);
  await Promise.resolve();
  await Promise.resolve();
  return { store, model, predictor };
}

const frame = () => vi.advanceTimersToNextFrame();
const block = (layers: number[]): SketchBlock => ({
  granularity: 'channel',
  symmetric: true,
  layers,
  data: 'AA=='
});

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('moving a slider', () => {
  it('predicts once a frame and tells the kernel nothing until it is let go', async () => {
    const { store, model, predictor } = await open({ options: { ...DEFAULTS, weights: 'int8' } });
    const before = predictor.predictions;
    for (const clipping of [0.9, 0.8, 0.7]) {
      store.change({ clipping }, false);
    }
    expect(store.options.value.clipping).toBe(0.7);
    expect(predictor.predictions).toBe(before);
    frame();
    expect(predictor.predictions).toBe(before + 1);
    expect(store.prediction.value.layers[0].clipping).toBe(0.7);
    expect(model.saves).toBe(0);
    expect(store.canUndo.value).toBe(false);

    store.change({ clipping: 0.7 }, true);
    expect(model.saves).toBe(1);
    expect(model.values.options).toMatchObject({ clipping: 0.7 });
    store.undo();
    expect(store.options.value.clipping).toBeNull();
    expect(model.values.options).toMatchObject({ clipping: null });
    store.redo();
    expect(store.options.value.clipping).toBe(0.7);
  });

  it('asks once for each sketch that is missing', async () => {
    const { store, model, predictor } = await open();
    const request = {
      granularity: 'tensor',
      symmetric: true,
      narrow_range: true,
      observer: 'minmax' as const,
      layers: [0, 2]
    };
    predictor.asks = [request];
    store.change({ granularity: 'tensor' }, false);
    expect(model.commands).toEqual(['ready']);
    store.change({ granularity: 'tensor' }, true);
    store.change({ rounding: 'gptq' }, true);
    expect(model.commands).toEqual(['ready', 'sketch']);
    expect(model.sent[1]).toMatchObject(request);
    model.set('problem', { command: 'sketch', message: 'No.', advice: '', option: null });
    store.change({ rounding: 'nearest' }, true);
    expect(model.commands).toEqual(['ready', 'sketch', 'sketch']);
  });

  it('has a budget refined on release, if the sensitivity is known', async () => {
    const { store, model } = await open();
    store.change({ budget: '6x', weights: 'float32' }, true);
    expect(model.commands).not.toContain('refine');
    model.set('sensitivity', sensitivityOf());
    store.change({ budget: '7x' }, false);
    expect(model.commands).not.toContain('refine');
    store.change({ budget: '7x' }, true);
    expect(model.commands.at(-1)).toBe('refine');
  });
});

describe('overrides', () => {
  it('keep what a glob had said, and go away with null', async () => {
    const { store } = await open({
      options: { ...DEFAULTS, layers: { 'conv*': { granularity: 'tensor', clipping: 0.8 } } }
    });
    store.changeLayers([0, 2], { weights: 'int4', clipping: undefined }, true);
    expect(store.options.value.layers).toEqual({
      'conv*': { granularity: 'tensor', clipping: 0.8 },
      conv1: { granularity: 'tensor', weights: 'int4' },
      fc1: { weights: 'int4' }
    });
    store.changeLayers([0], null, true);
    store.changeLayers([2], { weights: undefined }, true);
    expect(Object.keys(store.options.value.layers)).toEqual(['conv*']);
  });

  it('mean all layers that share a weight, whatever they are called', async () => {
    const state = stateOf();
    state.network.layers[1].names = ['conv2', '__proto__'];
    const { store } = await open({ network: state.network });
    store.changeLayers([1], { weights: 'int2' }, true);
    expect(Object.entries(store.options.value.layers)).toEqual([
      ['conv2', { weights: 'int2' }],
      ['__proto__', { weights: 'int2' }]
    ]);
  });
});

describe('the kernel', () => {
  it('hears whether the output of the panel may change while somebody works with it', async () => {
    const elsewhere = await open();
    expect(elsewhere.model.sent[0]).toMatchObject({ command: 'ready', in_place: false });
    const answer = (event: Event) => event.preventDefault();
    document.addEventListener(IN_PLACE, answer);
    const here = await open();
    document.removeEventListener(IN_PLACE, answer);
    expect(here.model.sent[0]).toMatchObject({ command: 'ready', in_place: true });
  });

  it('is asked once: between the press and the start of the work the panel is busy too', async () => {
    const { store, model } = await open({ options: { ...DEFAULTS, weights: 'int8' } });
    store.change({ weights: 'int4' }, false);
    store.apply();
    expect(model.values.options).toMatchObject({ weights: 'int4' });
    expect(model.sent.at(-1)).toMatchObject({
      command: 'apply',
      options: { weights: 'int4' },
      predicted_db: 6.02 * 4 - 7
    });
    expect(store.busy.value).toBe(true);
    model.set('task', RUNNING);
    expect(store.busy.value).toBe(true);
    model.set('task', { ...RUNNING, state: 'done' });
    expect(store.busy.value).toBe(false);
    store.apply();
    store.send({ command: 'cancel' });
    expect(store.busy.value).toBe(false);
    model.set('task', { ...RUNNING, kind: 'sketch' });
    expect(store.busy.value).toBe(false);
  });

  it('that is gone is asked nothing', async () => {
    const { store, model } = await open();
    model.setLive(false);
    expect(store.live).toBe(false);
    expect(store.isSaved).toBe(false);
    store.send({ command: 'measure' });
    expect(model.commands).toEqual(['ready']);
    expect(store.busy.value).toBe(false);
  });

  it('reports a problem that goes when options change, or when it is dismissed', async () => {
    const { store, model } = await open();
    const problem = { command: 'apply', message: 'No.', advice: '', option: 'weights' };
    model.set('problem', problem);
    expect(store.problem.value?.message).toBe('No.');
    store.change({ weights: 'int8' }, true);
    expect(store.problem.value).toBeNull();
    model.set('problem', { ...problem, message: 'Still no.' });
    expect(store.problem.value?.message).toBe('Still no.');
    store.dismissProblem();
    expect(store.problem.value).toBeNull();
  });

  it('sends sketches that are each loaded once', async () => {
    const { store, model, predictor } = await open({ sketches: [block([0])] });
    expect(predictor.loaded).toEqual([1]);
    const { revision } = store;
    const before = revision.value;
    model.set('sketches', [block([0]), block([1]), block([2])]);
    await Promise.resolve();
    expect(predictor.loaded).toEqual([1, 2]);
    expect(revision.value).toBe(before + 1);
  });
});

describe('sketches that cannot be read', () => {
  class Refusing extends MadeUpPredictor {
    override load(blocks: unknown[]): Promise<void> {
      void super.load(blocks);
      return Promise.reject(new Error('The data are no sketches of these layers.'));
    }
  }

  it('are a problem that the panel shows, and the kernel is asked all the same', async () => {
    const state = stateOf({ sketches: [block([0])] });
    const model = new MadeUpModel(state);
    const store = new Store(new ModelConnection(model), new Refusing(state.network));
    await vi.waitFor(() => expect(store.problem.value).not.toBeNull());
    expect(store.problem.value?.message).toBe(
      'The values of some layers could not be read: The data are no sketches of these layers.'
    );
    await vi.waitFor(() => expect(model.commands).toEqual(['ready']));
    store.dismissProblem();
    expect(store.problem.value).toBeNull();

    model.set('sketches', [block([0]), block([1])]);
    await vi.waitFor(() => expect(store.problem.value?.command).toBe('sketch'));
    model.set('problem', { command: 'apply', message: 'No.', advice: '', option: null });
    expect(store.problem.value?.message).toBe('No.');
  });
});

describe('two views of one model', () => {
  it('stay in step, and undo what came from the other', async () => {
    const { store, model, predictor } = await open();
    const other = new Store(new ModelConnection(model), predictor);
    store.change({ weights: 'int3' }, true);
    expect(other.options.value.weights).toBe('int3');
    other.undo();
    expect(store.options.value.weights).toBe('float32');
    store.setLanguage('zh');
    expect(other.language.value).toBe('zh');
    other.close();
    store.change({ weights: 'int2' }, true);
    expect(other.options.value.weights).toBe('float32');
  });
});

it('a saved state has live sliders, and nobody to ask', async () => {
  const state = stateOf({ options: { ...DEFAULTS, weights: 'int8' } });
  const store = new Store(new SavedConnection(state), new MadeUpPredictor(state.network));
  store.change({ clipping: 0.6 }, true);
  frame();
  expect(store.isSaved).toBe(true);
  expect(store.prediction.value.layers[0].clipping).toBe(0.6);
  store.apply();
  expect(store.busy.value).toBe(false);
  store.undo();
  expect(store.options.value.clipping).toBeNull();
});
