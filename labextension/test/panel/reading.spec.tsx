import { afterEach, describe, expect, it } from 'vitest';

import { readEntry, readSaved, VERSION } from '../../src/panel/reading';
import { showSaved } from '../../src/panel/saved';
import { HOSTILE, resultOf, sensitivityOf, stateOf } from './madeUp';

const ANYTHING = [
  null,
  undefined,
  0,
  NaN,
  '',
  'text',
  true,
  [],
  {},
  [[]],
  { network: null },
  { network: {} },
  { network: { layers: {} } },
  { network: { layers: [null, 3, { name: 7, weights: 'x', names: null }] }, options: [] },
  { version: 1 },
  { version: 1, state: null },
  { version: 1, state: { network: [] } },
  { state: {}, version: { a: 1 } }
];

/** As it comes out of a file. */
const written = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

afterEach(() => document.body.replaceChildren());

describe('a saved state', () => {
  it('is read as it was written', () => {
    const state = stateOf({
      sensitivity: sensitivityOf(),
      results: [resultOf({ sqnr_db: 'inf', predicted_db: null, document: { any: [1] } })],
      sketches: [{ granularity: 'group:64', symmetric: false, layers: [0, 4], data: 'AAAA' }],
      clippings: [
        {
          observer: 'mse',
          granularity: 'channel',
          symmetric: true,
          narrow_range: true,
          ratios: { 0: [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1] }
        }
      ]
    });
    state.options.layers = {
      fc1: { weights: 'int4', clipping: 0.5 },
      'conv*': { symmetric: false }
    };
    expect(readSaved(written({ version: VERSION, kind: 'panel', state }))).toEqual({
      state,
      unreadable: [],
      otherVersion: null
    });
    expect(readSaved(written(state)).state).toEqual(state);
  });

  it('names what cannot be read and goes on without it', () => {
    const state = stateOf({ code: '%gs_convert net x' });
    const raw = written(state) as { network: { layers: Record<string, unknown>[] } } & Record<
      string,
      Record<string, unknown>
    >;
    raw.network.layers[3].float_bytes = 'many';
    raw.options.weights = 'int9';
    raw.options.clipping = 0;
    raw.task = { kind: 'apply', state: 'running', cancelled_by: 'interrupt' };
    const { state: read, unreadable } = readSaved(raw);
    expect(unreadable).toEqual([
      'network.layers.3.float_bytes',
      'options.weights',
      'options.clipping',
      'task.step',
      'task.done'
    ]);
    expect(read?.network.layers.map(layer => layer.name)).toEqual(
      state.network.layers.map(layer => layer.name)
    );
    expect(read?.options.weights).toBe('float32');
    expect(read?.code).toBe('%gs_convert net x');
    expect(read?.task.state).toBe('idle');
  });

  it('has no layers that its network lacks', () => {
    const state = stateOf({
      sketches: [{ granularity: 'channel', symmetric: true, layers: [0, 5], data: 'AAAA' }],
      sensitivity: { ...sensitivityOf()!, layers: [{ layer: 9, weight_errors: {}, measured: {} }] }
    });
    const { state: read } = readSaved(written(state));
    expect(read?.sketches).toEqual([]);
    expect(read?.sensitivity?.layers).toEqual([]);
  });

  it('keeps layers apart from what every object has', () => {
    const options = JSON.parse(
      '{"layers": {"__proto__": {"weights": "int4"}, "toString": "int3"}}'
    );
    const { layers } = readEntry('options', options);
    expect(Object.entries(layers)).toEqual([
      ['__proto__', { weights: 'int4' }],
      ['toString', { weights: 'int3' }]
    ]);
    expect(readEntry('options', {}).layers).toEqual({});
  });

  it('can be anything, and is answered with a panel or in words', () => {
    for (const anything of ANYTHING) {
      const host = document.createElement('div');
      document.body.append(host);
      const end = showSaved(host, anything);
      expect(host.querySelector('.gs-Panel')?.textContent, JSON.stringify(anything)).toBeTruthy();
      end();
      expect(host.childNodes).toHaveLength(0);
    }
  });

  it('of another version says so', () => {
    const host = document.createElement('div');
    showSaved(host, { version: 2, kind: 'panel', state: stateOf() });
    expect(host.textContent).toContain('format 2');
    expect(host.querySelector('[role=tablist]')).toBeNull();
  });

  it('shows every name as text', () => {
    const state = stateOf({ code: HOSTILE });
    state.network.name = HOSTILE;
    state.network.recognised = [HOSTILE];
    state.network.notes = [HOSTILE];
    state.network.inputs[0].name = HOSTILE;
    state.results = [
      resultOf({ title: HOSTILE, verification: HOSTILE, notes: [HOSTILE], bound_to: HOSTILE })
    ];
    state.options.layers = { [HOSTILE]: { weights: 'int4' } };
    const host = document.createElement('div');
    document.body.append(host);
    showSaved(host, { version: 1, kind: 'panel', state, [HOSTILE]: 1 });
    expect(host.querySelector('img')).toBeNull();
    const texts = host.textContent.split(HOSTILE).length - 1;
    expect(texts).toBe(9);
  });
});
