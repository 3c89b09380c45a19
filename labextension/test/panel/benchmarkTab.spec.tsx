import { render } from 'preact';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EMPTY, planOf } from '../../src/panel/benchmark/form';
import { BenchmarkTab } from '../../src/panel/benchmarkTab';
import type { Connection } from '../../src/panel/connection';
import { ModelConnection, SavedConnection } from '../../src/panel/connection';
import { INTERRUPT } from '../../src/panel/notebookEvents';
import { Store } from '../../src/panel/store';
import type { BenchmarkState, PanelState, Task } from '../../src/panel/types';
import { Form, rest, turn } from './byHand';
import { HOSTILE, MadeUpModel, MadeUpPredictor, stateOf } from './madeUp';

const SUBJECTS = [
  { key: 'source', label: 'net (source)', detail: 'the network as it was given' },
  { key: 'result:1', label: '#1 int8', detail: '65 kB' },
  { key: 'file:lenet.onnx', label: HOSTILE, detail: '66 kB' }
];
const PLACES = [
  { target: 'cpu', engine: 'mindspore', available: true, device: 'Xeon', reason: '' },
  { target: 'gpu', engine: 'mindspore', available: false, device: '', reason: `No GPU ${HOSTILE}.` }
];
const REPORT = {
  version: 1,
  title: 'Benchmark of 3',
  blocks: [{ type: 'messages', items: [{ level: 'note', text: 'Take int8.' }] }]
};

function benchmarkOf(changes: Partial<BenchmarkState> = {}): Partial<PanelState> {
  const state: BenchmarkState = {
    subjects: SUBJECTS,
    targets: null,
    live: '',
    document: null,
    state: 'none'
  };
  return { benchmark: { ...state, ...changes } };
}

const RUNNING: Task = {
  kind: 'benchmark',
  state: 'running',
  step: 'measuring',
  done: 0,
  total: null,
  cancelled_by: 'message',
  kernel_id: 'kernel'
};

let host: HTMLElement;
let form: Form;
let model: MadeUpModel;
let store: Store;

const text = () => host.textContent ?? '';

async function open(changes: Partial<PanelState>, live = true): Promise<void> {
  const state = stateOf(changes);
  model = new MadeUpModel(state);
  const connection: Connection = live ? new ModelConnection(model) : new SavedConnection(state);
  store = new Store(connection, new MadeUpPredictor(state.network));
  render(<BenchmarkTab store={store} />, host);
  await turn();
  model.sent.length = 0;
}

beforeEach(() => {
  host = document.createElement('div');
  form = new Form(host);
  document.body.append(host);
});

afterAll(rest);

afterEach(() => {
  render(null, host);
  store?.close();
  host.remove();
});

describe('the form', () => {
  it('measures everything on the CPU, where nothing else is chosen', async () => {
    await open(benchmarkOf());
    await form.press('Run');
    expect(model.sent[0]).toMatchObject({
      command: 'benchmark',
      subjects: ['source', 'result:1', 'file:lenet.onnx'],
      engines: ['mindspore', 'onnxruntime'],
      targets: ['cpu'],
      batches: [],
      threads: [],
      duration_s: 3,
      launches: 3
    });
  });

  it('sends what was chosen', async () => {
    await open(benchmarkOf());
    await form.tick('net (source)');
    await form.tick('MindSpore Lite');
    await form.tick('GPU');
    await form.type('Batch sizes', '1, 8 8');
    await form.type('Threads', '4');
    await form.type('Seconds a row', '0.5');
    await form.type('Processes a row', '2');
    await form.press('Run');
    expect(model.sent[0]).toMatchObject({
      subjects: ['result:1', 'file:lenet.onnx'],
      engines: [],
      targets: ['cpu', 'gpu'],
      batches: [1, 8],
      threads: [4],
      duration_s: 0.5,
      launches: 2
    });
  });

  it('says beforehand what it costs: two networks on three engines and a file on one', async () => {
    await open(benchmarkOf());
    await form.tick('MindSpore Lite');
    expect(text()).toContain('At most 7 rows of 3 s: about 21 s of measuring');
    expect(text()).toContain('the start of 21 processes');
    await form.type('Batch sizes', '1 8 32');
    expect(text()).toContain('At most 21 rows of 3 s: about 63 s');
  });

  it.each([
    ['Batch sizes', '1, x', 'Whole numbers'],
    ['Batch sizes', '0', 'Whole numbers'],
    ['Threads', '-1', 'Whole numbers'],
    ['Seconds a row', '0', 'A number of seconds'],
    ['Seconds a row', '1e9', 'A number of seconds'],
    ['Processes a row', '1.5', 'A whole number']
  ])('refuses %s of %s in place', async (label, value, reason) => {
    await open(benchmarkOf());
    await form.type(label, value);
    expect(form.control(label).getAttribute('aria-invalid')).toBe('true');
    expect(text()).toContain(reason);
    await form.press('Run');
    expect(model.sent).toEqual([]);
  });

  it('asks for a choice where none is left', () => {
    const form = { ...EMPTY, leftOut: ['source'], engines: [], targets: [] };
    const plan = planOf(form, { subjects: [SUBJECTS[0]], targets: null });
    expect(Object.keys(plan.wrong)).toEqual(['subjects', 'engines', 'targets']);
  });

  it('takes what comes later as chosen, and keeps the form while the tab is away', async () => {
    await open(benchmarkOf());
    await form.tick('#1 int8');
    render(null, host);
    const benchmark = store.benchmark.value;
    const later = { key: 'result:2', label: '#2 int4', detail: '' };
    model.set('benchmark', { ...benchmark, subjects: [...SUBJECTS, later] });
    render(<BenchmarkTab store={store} />, host);
    await turn();
    expect([form.control('#1 int8').checked, form.control('#2 int4').checked]).toEqual([
      false,
      true
    ]);
  });
});

describe('the engines', () => {
  const ticked = () =>
    ['MindSpore', 'ONNX Runtime', 'MindSpore Lite'].filter(name => form.control(name).checked);
  const lite = (available: boolean) => ({
    target: 'cpu',
    engine: 'lite',
    available,
    device: '',
    reason: 'Not installed.'
  });

  it('that may not be there are not chosen, unless there is a file for them', async () => {
    await open(benchmarkOf());
    expect(ticked()).toEqual(['MindSpore', 'ONNX Runtime']);
    const subjects = [...SUBJECTS, { key: 'file:lenet.ms', label: 'lenet.ms', detail: '' }];
    model.set('benchmark', { ...store.benchmark.value, subjects });
    await turn();
    expect(ticked()).toEqual(['MindSpore', 'ONNX Runtime', 'MindSpore Lite']);
  });

  it('that were found are chosen, and no others can be', async () => {
    await open(benchmarkOf({ targets: [...PLACES, lite(false)] }));
    expect(ticked()).toEqual(['MindSpore']);
    expect(form.control('MindSpore Lite').disabled).toBe(true);
    expect(text()).toContain('It runs nowhere here');
    model.set('benchmark', { ...store.benchmark.value, targets: [...PLACES, lite(true)] });
    await turn();
    expect(ticked()).toEqual(['MindSpore', 'MindSpore Lite']);
  });

  it('stay as they were chosen, whatever is found', async () => {
    await open(benchmarkOf());
    await form.tick('MindSpore');
    model.set('benchmark', { ...store.benchmark.value, targets: PLACES });
    await turn();
    expect(ticked()).toEqual(['ONNX Runtime']);
    expect(form.control('ONNX Runtime').disabled).toBe(false);
  });
});

describe('targets', () => {
  it('are looked for on demand', async () => {
    await open(benchmarkOf());
    await form.press('Look for targets');
    expect(model.commands).toEqual(['targets']);
    expect(form.button('Looking for targets …')).toBeDefined();
  });

  it('that are missing say why, and can not be chosen', async () => {
    await open(benchmarkOf({ targets: PLACES }));
    const rows = [...host.querySelectorAll('tbody tr')].map(row => row.textContent);
    expect(rows).toEqual(['CPUMindSporeFound Xeon', `GPUMindSporeMissing No GPU ${HOSTILE}.`]);
    expect(form.control('GPU').disabled).toBe(true);
    expect(form.control('CPU').disabled).toBe(false);
    expect(host.querySelector('img')).toBe(null);
  });
});

describe('while it runs', () => {
  it('shows the rows as they come, and stops by a message', async () => {
    await open({ ...benchmarkOf({ live: 'int8 1.2 ms', state: 'running' }), task: RUNNING });
    expect(host.querySelector('pre')!.textContent).toBe('int8 1.2 ms');
    expect(form.button('Run')).toBeUndefined();
    await form.press('Stop');
    expect(model.commands).toEqual(['cancel']);
    expect(text()).toContain('Stopping …');
  });

  it('stops by an interrupt of its kernel where a message would not be read', async () => {
    await open({ ...benchmarkOf(), task: { ...RUNNING, cancelled_by: 'interrupt' } });
    const asked = vi.fn((event: Event) => event.preventDefault());
    document.addEventListener(INTERRUPT, asked);
    await form.press('Stop');
    document.removeEventListener(INTERRUPT, asked);
    expect((asked.mock.calls[0][0] as CustomEvent).detail).toEqual({ kernelId: 'kernel' });
    expect(model.sent).toEqual([]);
    expect(text()).toContain('Stopping …');
    await form.press('Stop');
    expect(text()).toContain('Press the interrupt button');
  });
});

describe('the report', () => {
  it('shows with its advice, and says whether it is complete', async () => {
    await open(benchmarkOf({ document: REPORT, state: 'complete' }));
    expect(host.querySelector('.gs-Report')!.textContent).toContain('Take int8.');
    expect(text()).toContain('Complete.');
    model.set('benchmark', { ...store.benchmark.value, state: 'stopped' });
    await turn();
    expect(text()).toContain('Cut short');
  });

  it('shows in a saved view, where nothing can be run', async () => {
    await open(benchmarkOf({ document: REPORT, state: 'complete' }), false);
    expect(host.querySelector('.gs-Report')!.textContent).toContain('Take int8.');
    expect(form.button('Run')!.getAttribute('aria-disabled')).toBe('true');
    expect([...host.querySelectorAll('input')].every(input => input.disabled)).toBe(true);
  });
});
