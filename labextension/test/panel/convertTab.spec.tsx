import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ratiosBetween, ratioText } from '../../src/panel/convert/sizes';
import { ModelConnection } from '../../src/panel/connection';
import { ConvertTab } from '../../src/panel/convertTab';
import { DEFAULTS } from '../../src/panel/core/settings';
import { Store } from '../../src/panel/store';
import type { Options, PanelState } from '../../src/panel/types';
import { MadeUpModel, MadeUpPredictor, resultOf, sensitivityOf, stateOf } from './madeUp';

let host: HTMLElement;
let model: MadeUpModel;
let store: Store;

async function open(options: Partial<Options> = {}, changes: Partial<PanelState> = {}) {
  const state = stateOf({ options: { ...DEFAULTS, ...options }, ...changes });
  model = new MadeUpModel(state);
  store = new Store(new ModelConnection(model), new MadeUpPredictor(state.network));
  await act(() => render(<ConvertTab store={store} />, host));
}

const group = (title: string) =>
  [...host.querySelectorAll('fieldset')].find(
    item => item.querySelector('legend')?.textContent === title
  )!;
const field = (title: string, label: string) => {
  const found = [...group(title).querySelectorAll('label')].find(
    item => item.textContent === label
  );
  return found?.control as HTMLInputElement | HTMLSelectElement | undefined;
};
const choose = (title: string, label: string, value: string) =>
  act(() => {
    const control = field(title, label)!;
    control.value = value;
    control.dispatchEvent(new Event('change', { bubbles: true }));
  });
const tick = (title: string, label: string) => act(() => field(title, label)?.click());
const type = (title: string, label: string, value: string) =>
  act(() => {
    const control = field(title, label)!;
    control.value = value;
    control.dispatchEvent(new Event('input', { bubbles: true }));
    control.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
  });
const saved = () => model.values.options as Options;

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
});

describe('every option', () => {
  it('can be set, and reaches the kernel', async () => {
    await open();
    await choose('Weights', 'Format', 'int4');
    await choose('Weights', 'Granularity', 'tensor');
    await choose('Weights', 'Observer', 'mse');
    await tick('Weights', 'Leave out the lowest integer');
    await tick('Weights', 'Symmetric grid');
    await choose('Activations', 'Format', 'int8');
    await choose('Activations', 'Observer', 'entropy');
    await tick('Activations', 'Compute with quantized activations');
    await choose('Rounding and corrections', 'Rounding', 'gptq');
    for (const label of ['Correct biases', 'Equalize layers', 'Smooth activations']) {
      await tick('Rounding and corrections', label);
    }
    await choose('Weights', 'Clipping', '0.8');
    expect(saved()).toEqual({
      ...DEFAULTS,
      weights: 'int4',
      granularity: 'tensor',
      symmetric: false,
      narrow_range: false,
      weight_observer: 'mse',
      clipping: 0.8,
      activations: 'int8',
      activation_observer: 'entropy',
      simulate: false,
      rounding: 'gptq',
      bias_correction: true,
      equalize: true,
      smooth: true
    });
  });

  it('says what it means', async () => {
    await open({ weights: 'int8', budget: null });
    const controls = [...host.querySelectorAll('select, input')];
    expect(controls).toHaveLength(14);
    for (const control of controls) {
      const ids = (control.getAttribute('aria-describedby') ?? '').split(' ');
      const hint = document.getElementById(ids.at(-1)!);
      expect(hint?.getAttribute('role')).toBe('tooltip');
      expect(hint?.textContent.length).toBeGreaterThan(40);
    }
  });

  it('that has nothing to act on rests, and says why', async () => {
    await open();
    const resting = () =>
      [...host.querySelectorAll<HTMLInputElement>('select, input')]
        .filter(item => item.disabled)
        .map(item => item.labels![0].textContent);
    expect(resting()).toEqual([
      'Granularity',
      'Symmetric grid',
      'Leave out the lowest integer',
      'Observer',
      'Clipping',
      'Observer',
      'Compute with quantized activations',
      'Rounding',
      'Correct biases',
      'Equalize layers',
      'Smooth activations'
    ]);
    expect(group('Weights').textContent).toContain('No weight is stored in integers');
    await choose('Weights', 'Format', 'int8');
    await choose('Activations', 'Format', 'int8');
    expect(resting()).toEqual(['Equalize layers']);
    await tick('Weights', 'Symmetric grid');
    await choose('Weights', 'Clipping', '0.9');
    expect(resting()).toEqual(['Leave out the lowest integer', 'Observer', 'Equalize layers']);
    expect(group('Weights').textContent).toContain('An asymmetric grid has no end to leave out.');
    expect(group('Weights').textContent).toContain('The clipping is set by hand');
  });

  it('that is on can be put off, even where it has no effect any more', async () => {
    await open({ smooth: true });
    expect(field('Rounding and corrections', 'Smooth activations')?.disabled).toBe(false);
    await tick('Rounding and corrections', 'Smooth activations');
    expect(saved().smooth).toBe(false);
  });

  it('of a single layer counts', async () => {
    await open({
      layers: { fc1: { weights: 'int4', activations: 'int8', granularity: 'tensor' } }
    });
    for (const label of ['Rounding', 'Equalize layers', 'Smooth activations']) {
      expect(field('Rounding and corrections', label)?.disabled, label).toBe(false);
    }
    expect(group('Settings of single layers').textContent).toContain(
      'fc1: int4, activations int8, granularity tensor'
    );
  });

  it('needs what calibration saw where it is of activations', async () => {
    const { network } = stateOf();
    const layers = network.layers.map(layer => ({ ...layer, activation: null }));
    await open({}, { network: { ...network, layers } });
    expect(field('Activations', 'Format')?.disabled).toBe(true);
    expect(group('Activations').textContent).toContain('There was no example to run');
  });
});

describe('groups of another size', () => {
  it('are typed, and checked before they are sent', async () => {
    await open({ weights: 'int4', granularity: 'group:48' });
    expect(field('Weights', 'Granularity')?.value).toBe('other');
    await type('Weights', 'Group size', '0');
    expect(group('Weights').textContent).toContain('Write a whole number');
    expect(saved().granularity).toBe('group:48');
    await type('Weights', 'Group size', '16');
    expect(saved().granularity).toBe('group:16');
    await choose('Weights', 'Granularity', 'group:64');
    expect(field('Weights', 'Group size')).toBeUndefined();
    await choose('Weights', 'Granularity', 'other');
    expect(saved().granularity).toBe('group:64');
    await type('Weights', 'Group size', '8');
    expect(saved().granularity).toBe('group:8');
  });
});

describe('a slider', () => {
  it('is one step to undo, however many keys move it', async () => {
    await open({ weights: 'int8' });
    const slider = field('Weights', 'Clipping') as HTMLInputElement;
    for (const value of ['0.9', '0.8', '0.7']) {
      await act(() => {
        slider.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true }));
        slider.value = value;
        for (const type of ['input', 'change']) {
          slider.dispatchEvent(new Event(type, { bubbles: true }));
        }
        slider.dispatchEvent(new KeyboardEvent('keyup', { key: 'ArrowLeft', bubbles: true }));
      });
    }
    expect(store.options.value.clipping).toBe(0.7);
    await act(() => void slider.dispatchEvent(new Event('focusout', { bubbles: true })));
    expect([saved().clipping, model.saves]).toEqual([0.7, 1]);
    store.undo();
    expect(store.options.value.clipping).toBeNull();
  });
});

describe('chosen bits', () => {
  it('take the place of a format, and give it back', async () => {
    await open({ weights: 'int4' });
    await choose('Choose the bits', 'Bits', 'budget');
    expect(saved()).toMatchObject({ weights: 'float32', budget: '6x', max_drop: null });
    expect(field('Weights', 'Format')?.disabled).toBe(true);
    expect(group('Weights').textContent).toContain('The bits are chosen for each layer');
    await choose('Choose the bits', 'Bits', 'drop');
    expect(saved()).toMatchObject({ weights: 'float32', budget: null, max_drop: '30dB' });
    await choose('Choose the bits', 'Bits', 'none');
    expect(saved()).toMatchObject({ weights: 'int4', budget: null, max_drop: null });
  });

  it('come from a slider within what is possible, or from a text', async () => {
    await open({ budget: '6x' });
    const slider = () => field('Choose the bits', 'Budget') as HTMLInputElement;
    expect([slider().min, slider().max, slider().value]).toEqual(['4', '14', '6']);
    await act(() => {
      slider().value = '8.3';
      slider().dispatchEvent(new Event('input', { bubbles: true }));
    });
    expect(model.saves).toBe(0);
    expect(group('Choose the bits').querySelector('output')?.textContent).toBe('8.3\u00d7, 30 kB');
    await choose('Choose the bits', 'Budget', '8.3');
    expect(saved().budget).toBe('8.3x');
    await type('Choose the bits', 'As text', 'small');
    expect(group('Choose the bits').textContent).toContain('Write how many times smaller');
    expect(saved().budget).toBe('8.3x');
    await type('Choose the bits', 'As text', ' 30KB ');
    expect(saved().budget).toBe('30KB');
    expect(Number(slider().value)).toBeCloseTo(8.2, 1);
  });

  it('within a loss are checked too', async () => {
    await open({ max_drop: '30dB' });
    await type('Choose the bits', 'Most loss', '3');
    expect(group('Choose the bits').textContent).toContain('Write 30dB');
    await type('Choose the bits', 'Most loss', '1%');
    expect(saved().max_drop).toBe('1%');
    expect(group('Choose the bits').textContent).toContain('it needs labels');
  });
});

it('a problem stands where the option is that is to blame', async () => {
  await open({ weights: 'int4' });
  await act(() =>
    model.set('problem', {
      command: 'apply',
      message: 'Groups of 48 do not divide 150.',
      advice: 'Choose another.',
      option: 'granularity'
    })
  );
  const control = field('Weights', 'Granularity')!;
  expect(control.getAttribute('aria-invalid')).toBe('true');
  const [error] = control.getAttribute('aria-describedby')!.split(' ');
  expect(document.getElementById(error)?.textContent).toBe(
    'Groups of 48 do not divide 150. Choose another.'
  );
});

describe('what Apply found', () => {
  it('stands beside what was predicted, the last first, and gives its options back', async () => {
    await open(
      { weights: 'int2' },
      {
        sensitivity: sensitivityOf(),
        results: [
          resultOf({ options: { ...resultOf().options, bias_correction: true } }),
          resultOf({
            number: 2,
            options: { ...DEFAULTS, weights: 'int4' },
            title: 'LeNet5: int4 weights',
            sqnr_db: 'inf',
            predicted_db: null,
            notes: ['Mind the gap.']
          })
        ]
      }
    );
    const cells = [...host.querySelectorAll('table')].map(table =>
      [...table.querySelectorAll('tbody tr')].map(row =>
        [...row.querySelectorAll('td')].map(cell => cell.textContent)
      )
    );
    expect(cells[0]).toEqual([
      ['\u2013', '\u221e dB', ''],
      ['31 kB', '62 kB', '246 kB'],
      ['\u2013', '65 kB (26 %)', '248 kB']
    ]);
    expect(cells[1][0]).toEqual(['41.2 dB', '40.6 dB', '']);
    const remarks = [...host.querySelectorAll('.gs-Panel-result .gs-Panel-remark')];
    expect(remarks.map(item => item.textContent)).toEqual([
      'The prediction leaves out bias correction.'
    ]);
    expect(host.textContent).toContain('Mind the gap.');
    await act(() =>
      [...host.querySelectorAll('button')]
        .find(item => item.textContent === 'Use these options')
        ?.click()
    );
    expect(saved().weights).toBe('int4');
  });
});

it('a slider of ratios keeps within what is possible', () => {
  expect(ratiosBetween(1000, 4000, 16100)).toEqual({ low: 4.1, high: 16.1 });
  expect(ratiosBetween(0, 0, 0)).toBeNull();
  expect(ratiosBetween(100, 100, 400)).toBeNull();
  expect(ratioText(6.2000000000000002)).toBe('6.2x');
});
