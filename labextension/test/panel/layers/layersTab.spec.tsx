import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ModelConnection, SavedConnection } from '../../../src/panel/connection';
import { DEFAULTS } from '../../../src/panel/core/settings';
import { LanguageContext } from '../../../src/panel/i18n';
import { LayersTab } from '../../../src/panel/layersTab';
import { Store } from '../../../src/panel/store';
import type { PanelState } from '../../../src/panel/types';
import { Form, rest, turn } from '../byHand';
import {
  HOSTILE,
  layerOf,
  MadeUpModel,
  MadeUpPredictor,
  networkOf,
  resultOf,
  sensitivityOf,
  stateOf
} from '../madeUp';

const INT8 = { ...DEFAULTS, weights: 'int8' };
/** Two frames, and what settles after them. */
const SETTLED_MS = 300;

let host: HTMLElement;
let form: Form;
let store: Store;
let model: MadeUpModel;
let close: () => void;

async function open(changes: Partial<PanelState> = {}, saved = false): Promise<void> {
  const state = stateOf({ options: INT8, ...changes });
  model = new MadeUpModel(state);
  const live = new ModelConnection(model);
  close = () => {
    store.close();
    live.close();
  };
  const connection = saved ? new SavedConnection(state) : live;
  store = new Store(connection, new MadeUpPredictor(state.network));
  render(
    <LanguageContext.Provider value={store.language}>
      <LayersTab store={store} />
    </LanguageContext.Provider>,
    host
  );
  await turn();
}

beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
  form = new Form(host);
  // Nothing is painted in here: what charts say is their summary.
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null);
});
afterEach(async () => {
  render(null, host);
  close();
  host.remove();
  await rest();
  vi.restoreAllMocks();
});

const part = (name: string) => host.querySelector<HTMLElement>(`.gs-Layers-${name}`)!;
const frame = () => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
const settled = () => new Promise(resolve => setTimeout(resolve, SETTLED_MS));
const rows = () => [...host.querySelectorAll('.gs-Layers-table tbody tr')];
const names = () => rows().map(row => row.querySelector('th')!.textContent);
const slider = (label: string, within: HTMLElement) => new Form(within).control(label);

async function pull(label: string, value: number, within = part('network')): Promise<void> {
  const input = slider(label, within);
  input.value = String(value);
  input.dispatchEvent(new Event('input', { bubbles: true }));
  await frame();
}

async function letGo(label: string, within = part('network')): Promise<void> {
  slider(label, within).dispatchEvent(new Event('change', { bubbles: true }));
  await turn();
}

describe('a slider of the network', () => {
  it('moves the numbers and the chart with the frame, the table later, the kernel not at all', async () => {
    await open({ sensitivity: sensitivityOf() });
    expect(part('readouts').textContent).toContain('61 kB');
    const table = part('table').textContent;
    const saves = model.saves;
    await pull('Bits', 4);
    expect(part('readouts').textContent).toContain('31 kB');
    expect(part('readouts').textContent).toContain('8.0\u00d7');
    expect(part('readouts').textContent).toContain('17.1 dB');
    expect(part('canvas').textContent).toContain('15.1 dB');
    expect(part('table').textContent).toBe(table);
    await settled();
    expect(rows()[0].textContent).toContain('int4');
    expect([model.saves, model.commands.includes('refine')]).toEqual([saves, false]);
    await letGo('Bits');
    expect(model.saves).toBe(saves + 1);
    expect(model.values.options).toMatchObject({ weights: 'int4' });
  });

  it('goes from a float format to integers when it is pulled', async () => {
    await open({ options: DEFAULTS });
    expect(slider('Bits', part('network')).getAttribute('aria-valuetext')).toBe('float32');
    expect(slider('Clipping', part('network')).disabled).toBe(true);
    await pull('Bits', 5);
    expect(slider('Bits', part('network')).getAttribute('aria-valuetext')).toBe('5 bits');
    expect(store.options.value.weights).toBe('int5');
  });

  it('takes the clipping from the observer, and gives it back', async () => {
    await open();
    await pull('Clipping', 0.8);
    expect(store.options.value.clipping).toBe(0.8);
    expect(new Form(part('network')).control('Chosen by').value).toBe('by hand');
    const chooser = new Form(part('network')).control('Chosen by');
    chooser.value = 'mse';
    chooser.dispatchEvent(new Event('change', { bubbles: true }));
    await frame();
    expect(store.options.value).toMatchObject({ clipping: null, weight_observer: 'mse' });
    const shown = () =>
      [part('network'), part('own')].map(at =>
        slider('Clipping', at).getAttribute('aria-valuetext')
      );
    store.selected.value = [1];
    await turn();
    expect(shown()).toEqual(['93 % on average', '93 %']);
  });
});

describe('the size budget', () => {
  it('starts at the present size, and goes back to the format that there was', async () => {
    await open({ options: { ...DEFAULTS, weights: 'int4', max_drop: null } });
    await form.tick('limit the size');
    expect(store.options.value).toMatchObject({ budget: '8x', weights: 'float32' });
    expect(slider('Bits', part('network')).disabled).toBe(true);
    await pull('Size budget', 6.2);
    await letGo('Size budget');
    expect(model.values.options).toMatchObject({ budget: '6.2x', weights: 'float32' });
    expect(slider('Size budget', part('network')).getAttribute('aria-valuetext')).toContain(
      '6.2\u00d7'
    );
    await form.tick('limit the size');
    expect(store.options.value).toMatchObject({ budget: null, weights: 'int4' });
  });

  it('can be pulled no further than what fits, and says so of a budget from elsewhere', async () => {
    await open({ options: { ...DEFAULTS, budget: '20x' } });
    expect(slider('Size budget', part('network')).max).toBe('14');
    expect(part('warning').textContent).toContain('smallest setting');
  });

  it('offers the measurement where it is missing', async () => {
    await open();
    await form.press('Measure (about 12 s)');
    expect(model.commands).toContain('measure');
    expect(form.button('Measuring\u2026')).toBeDefined();
  });

  it('offers nothing that nobody can do', async () => {
    await open({}, true);
    expect(part('measure').textContent).toContain('was not measured');
    expect(part('measure').querySelector('button')).toBeNull();
  });
});

describe('the truth', () => {
  const results = [resultOf({ number: 3, options: { ...DEFAULTS, weights: 'int4' }, sqnr_db: 21 })];

  it('stands beside the prediction while options are those of a conversion', async () => {
    await open({ results });
    expect(part('readouts').textContent).toContain('Conversion 3 has other options.');
    await pull('Bits', 4);
    expect(part('readouts').textContent).toContain('Conversion 3 has these options.');
    expect(part('readouts').textContent).toContain('measured: 21.0 dB');
    expect(part('readouts').querySelector('.gs-mod-stale')).toBeNull();
  });

  it('of one layer has its error in steps of the grid, which only Apply knows', async () => {
    const found = {
      ...{ weights: 'int8', activations: 'float32', bytes: 174, note: '' },
      ...{ sqnr_db: 41.2, input_sqnr_db: null, clipped_share: 0, error_share: null }
    };
    const layers = {
      '0': { ...found, rmse_over_scale: 0.3124 },
      '1': { ...found, rmse_over_scale: null }
    };
    await open();
    store.selected.value = [0];
    await turn();
    expect(part('facts').textContent).toContain('RMSE / scaleknown after Apply');
    model.set('results', [resultOf({ options: INT8, layers })]);
    await turn();
    expect(part('facts').textContent).toContain('RMSE / scale0.312 (rounding alone: 0.289)');
    store.selected.value = [1];
    await turn();
    expect(part('facts').textContent).toContain('RMSE / scale\u2013');
  });

  it('tells quietly that the kernel has found the best bits', async () => {
    const options = { ...DEFAULTS, budget: '6x' };
    await open({
      options,
      refinement: { options, bits: {}, size_bytes: 41_000, sqnr_db: 30 },
      sensitivity: sensitivityOf()
    });
    expect(part('readouts').textContent).toContain('best bits found');
    await pull('Size budget', 7);
    expect(part('readouts').textContent).not.toContain('best bits found');
  });

  it('says what the prediction leaves out', async () => {
    await open({
      options: { ...INT8, activations: 'int8', rounding: 'gptq' },
      sensitivity: sensitivityOf(INT8)
    });
    expect(part('notes').textContent).toBe(
      'The prediction leaves out int8 activations, which were not measured, GPTQ.'
    );
  });
});

describe('the curve of sizes', () => {
  it('comes with what was measured, and with what was converted', async () => {
    await open();
    expect(part('sizes')).toBeNull();
    model.set('results', [resultOf({ number: 2 })]);
    await frame();
    expect(part('sizes').textContent).toContain('Size and quality');
  });
});

describe('selected layers', () => {
  it('get a setting of their own, which can be undone and removed', async () => {
    await open();
    store.selected.value = [2, 3];
    await turn();
    expect(part('selection').querySelector('h3')!.textContent).toBe('2 layers');
    await pull('Bits', 3, part('own'));
    expect(part('facts').textContent).toContain('Bits3');
    await letGo('Bits', part('own'));
    expect(model.values.options).toMatchObject({
      layers: { fc1: { weights: 'int3' }, fc2: { weights: 'int3' } }
    });
    store.selected.value = [1, 2];
    await turn();
    expect(slider('Bits', part('own')).getAttribute('aria-valuetext')).toBe('mixed');
    await form.press('Undo');
    expect(store.options.value.layers).toEqual({});
    store.selected.value = [2];
    await turn();
    // The way back has its place before: nothing below it moves.
    expect(part('overrides').textContent).toContain('No layer has a setting of its own.');
    await form.press('Keep in float32');
    expect(part('overrides').textContent).toContain('1 layer has a setting of its own.');
    expect(store.options.value.layers).toEqual({ fc1: { weights: 'float32' } });
    expect(form.button('Keep in float32')!.getAttribute('aria-disabled')).toBe('true');
    await form.press('Back to the network\u2019s setting');
    expect(store.options.value.layers).toEqual({});
  });

  it('that are too small to be packed say so beside their size', async () => {
    await open({ options: { ...DEFAULTS, weights: 'int4' } });
    store.selected.value = [4];
    await frame();
    const remark = () => part('facts').querySelector('dd small');
    expect(remark()!.textContent).toBe(
      'stored in 8 bits: packing doesn\u2019t pay in so small a layer'
    );
    expect(remark()!.className).toBe('');
    await pull('Bits', 8, part('own'));
    expect(remark()!.className).toBe('gs-mod-unseen');
    store.selected.value = [2];
    await frame();
    expect(remark()).toBeNull();
  });

  it('commit what waits in their slider before another layer gets it', async () => {
    await open();
    store.selected.value = [2];
    await turn();
    const input = slider('Bits', part('own'));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
    await pull('Bits', 7, part('own'));
    await letGo('Bits', part('own'));
    input.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowLeft', bubbles: true }));
    expect(model.values.options).toMatchObject({ layers: {} });
    store.selected.value = [3];
    await turn();
    expect(model.values.options).toMatchObject({ layers: { fc1: { weights: 'int7' } } });
    expect(slider('Bits', part('own')).value).toBe('8');
  });

  it('that cannot be changed say why', async () => {
    const fixed = { ...layerOf('head', 'Dense', [4, 4]), obstacle: 'w is also read by Add' };
    await open({ network: networkOf([fixed]) });
    store.selected.value = [0];
    await turn();
    expect(part('selection').textContent).toContain('w is also read by Add');
    expect(slider('Bits', part('own')).disabled).toBe(true);
  });
});

describe('finding a layer', () => {
  it('narrows chart and table, and Enter selects what is left', async () => {
    await open();
    const box = host.querySelector<HTMLInputElement>('input[type=search]')!;
    box.value = 'fc';
    box.dispatchEvent(new Event('input', { bubbles: true }));
    await turn();
    expect(names()).toEqual(['fc1', 'fc2', 'fc3']);
    expect(part('canvas').textContent).toContain('3 layers');
    expect(part('count').textContent).toBe('3 of 5');
    box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(store.selected.value).toEqual([2, 3, 4]);
    box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    await turn();
    expect(names()).toHaveLength(5);
  });

  it('in the table selects it, with Ctrl several', async () => {
    await open();
    const click = (row: number, ctrlKey = false) =>
      rows()
        [row].querySelector('button')!
        .dispatchEvent(new MouseEvent('click', { bubbles: true, ctrlKey }));
    click(3);
    click(1, true);
    expect(store.selected.value).toEqual([1, 3]);
    click(3, true);
    expect(store.selected.value).toEqual([1]);
    await turn();
    expect(rows().map(row => row.classList.contains('gs-mod-selected'))).toEqual([
      false,
      true,
      false,
      false,
      false
    ]);
  });

  it('sorts the table by a heading', async () => {
    await open();
    await form.press('Size in float32');
    expect(names()[0]).toBe('conv1');
    expect(host.querySelector('[aria-sort=ascending]')!.textContent).toBe('Size in float32');
    await form.press('Size in float32');
    expect(names()[0]).toBe('fc1');
  });
});

it('shows a hostile name as text wherever it stands', async () => {
  await open({ network: networkOf([layerOf(HOSTILE, HOSTILE, [4, 4])]) });
  store.selected.value = [0];
  await frame();
  expect(host.querySelector('img')).toBeNull();
  expect(part('selection').querySelector('h3')!.textContent).toBe(HOSTILE);
  expect(names()).toEqual([HOSTILE]);
});

it('speaks the language that is chosen, while it is open', async () => {
  await open();
  store.setLanguage('zh');
  await frame();
  expect(part('readouts').textContent).toContain('输出信噪比');
  expect(part('canvas').textContent).toContain('共 5 层');
});

it('lets go of everything when it is closed', async () => {
  await open();
  render(null, host);
  close();
  expect(model.listeners).toBe(0);
  store.options.value = DEFAULTS;
  store.predictNow();
  await settled();
  expect(host.textContent).toBe('');
});
