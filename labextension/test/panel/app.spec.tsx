import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { App } from '../../src/panel/app';
import { ModelConnection, SavedConnection } from '../../src/panel/connection';
import { DEFAULTS } from '../../src/panel/core/settings';
import { Store } from '../../src/panel/store';
import type { PanelState, Task } from '../../src/panel/types';
import widget from '../../src/panel/widget';
import { HOSTILE, MadeUpModel, MadeUpPredictor, networkOf, sensitivityOf, stateOf } from './madeUp';

let host: HTMLElement;
let model: MadeUpModel;
let store: Store;

async function open(changes: Partial<PanelState> = {}, isSaved = false): Promise<void> {
  const state = stateOf(changes);
  model = new MadeUpModel(state);
  const connection = isSaved ? new SavedConnection(state) : new ModelConnection(model);
  store = new Store(connection, new MadeUpPredictor(state.network));
  await act(() => render(<App store={store} />, host));
}

const running = (changes: Partial<Task>): Task => ({
  kind: 'apply',
  state: 'running',
  step: 'measure sensitivity',
  done: 3,
  total: 8,
  cancelled_by: 'message',
  kernel_id: 'k-1',
  ...changes
});
const button = (name: string) =>
  [...host.querySelectorAll('button')].find(
    item => (item.getAttribute('aria-label') ?? item.textContent) === name
  );
const press = (name: string) => act(() => button(name)?.click());
const key = (node: Element, init: KeyboardEventInit) =>
  act(
    () =>
      void node.dispatchEvent(
        new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init })
      )
  );
const status = () => host.querySelector('.gs-Panel-progress [role=status]')!.textContent.trim();

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
  vi.restoreAllMocks();
});

describe('tabs', () => {
  it('are one stop for the Tab key, with arrows between them', async () => {
    await open();
    const tabs = [...host.querySelectorAll<HTMLElement>('[role=tab]')];
    const panels = [...host.querySelectorAll<HTMLElement>('[role=tabpanel]')];
    const selected = () => tabs.map(tab => tab.getAttribute('aria-selected')).indexOf('true');
    expect(tabs.map(tab => tab.tabIndex)).toEqual([0, -1, -1, -1]);
    expect(panels.map(panel => panel.hidden)).toEqual([false, true, true, true]);
    await key(tabs[0], { key: 'End' });
    expect(selected()).toBe(3);
    expect(document.activeElement).toBe(tabs[3]);
    expect(tabs.map(tab => tab.tabIndex)).toEqual([-1, -1, -1, 0]);
    await key(tabs[3], { key: 'ArrowRight' });
    expect(selected()).toBe(0);
    await key(tabs[0], { key: 'ArrowLeft' });
    expect(panels.map(panel => panel.hidden)).toEqual([true, true, true, false]);
    expect(tabs[3].getAttribute('aria-controls')).toBe(panels[3].id);
    expect(panels[3].getAttribute('aria-labelledby')).toBe(tabs[3].id);
  });
});

describe('the form of the Convert tab', () => {
  const formats = () => host.querySelector<HTMLSelectElement>('.gs-Panel-convert select')!;

  it('rests while another tab is open, and is up to date when it is opened again', async () => {
    await open({ options: { ...DEFAULTS, weights: 'int8' } });
    await press('Layers');
    await act(() => store.change({ weights: 'int4', budget: null }, false));
    expect(formats().value).toBe('int8');
    await press('Convert');
    expect(formats().value).toBe('int4');
    await act(() => store.change({ weights: 'int3' }, false));
    expect(formats().value).toBe('int3');
  });
});

describe('undo', () => {
  it('is a button and a key, but not while somebody types', async () => {
    await open({ options: { ...DEFAULTS, budget: '6x' } });
    expect(button('Undo')?.getAttribute('aria-disabled')).toBe('true');
    await act(() => store.change({ equalize: true }, true));
    const text = host.querySelector('input[type=text]')!;
    await key(text, { key: 'z', ctrlKey: true });
    expect(store.options.value.equalize).toBe(true);
    const box = host.querySelector('input[type=checkbox]')!;
    await key(box, { key: 'z', ctrlKey: true });
    expect(store.options.value.equalize).toBe(false);
    await key(box, { key: 'Z', metaKey: true, shiftKey: true });
    expect(store.options.value.equalize).toBe(true);
    await press('Reset to defaults');
    expect(store.options.value).toEqual(DEFAULTS);
    await press('Undo');
    expect(store.options.value.budget).toBe('6x');
    await press('Redo');
    expect(store.options.value).toEqual(DEFAULTS);
  });

  it('keeps JupyterLab off the keys', async () => {
    await open();
    for (const control of host.querySelectorAll<HTMLElement>('button, select:enabled')) {
      await act(() => control.focus());
      expect(control.dataset.lmSuppressShortcuts).toBe('true');
    }
  });
});

describe('the language', () => {
  it('is switched for all views of the model', async () => {
    await open();
    await press('切换到中文');
    expect(model.values.language).toBe('zh');
    expect(host.querySelector('.gs-Panel')?.getAttribute('lang')).toBe('zh-CN');
    expect(host.querySelector('[role=tab]')?.textContent).toBe('转换');
    await press('Switch to English');
    expect(model.values.language).toBe('en');
  });
});

describe('Apply', () => {
  it('says what it will do, and asks once', async () => {
    await open({
      options: {
        ...DEFAULTS,
        weights: 'int4',
        granularity: 'group:64',
        activations: 'int8',
        layers: { fc3: {} }
      }
    });
    expect(host.textContent).toContain(
      'Apply: store weights in int4, a scale per group of 64, int8 activations, 1 override of layers; then compare'
    );
    await press('Apply');
    expect(model.commands.filter(command => command === 'apply')).toHaveLength(1);
    expect(button('Apply')).toBeUndefined();
    expect(status()).toBe('Waiting for the kernel \u2026');
  });

  it('shows the step and the share, reads out the step only, and says how it ended', async () => {
    await open();
    await act(() => model.set('task', running({})));
    expect(status()).toBe('measure sensitivity');
    expect(host.querySelector('progress')?.value).toBe(3 / 8);
    expect(host.querySelector('.gs-Panel-progress')?.textContent).toContain('3 of 8 (37 %)');
    const place = host.querySelector('[role=status]');
    await act(() => model.set('task', running({ total: null, done: 0 })));
    expect(host.querySelector('progress')?.hasAttribute('value')).toBe(false);
    await act(() => model.set('task', running({ state: 'cancelled' })));
    expect(status()).toBe('Converting: cancelled.');
    expect(host.querySelector('[role=status]')).toBe(place);
    expect(button('Apply')).toBeDefined();
  });

  it('is cancelled by a message where the kernel hears it', async () => {
    await open({ task: running({}) });
    await press('Cancel');
    expect(model.commands.at(-1)).toBe('cancel');
  });

  it('is cancelled by an interrupt where only the front end can, or says which button does it', async () => {
    await open({ task: running({ cancelled_by: 'interrupt' }) });
    await press('Cancel');
    expect(model.commands).not.toContain('cancel');
    expect(status()).toContain('interrupt button');
    const heard: unknown[] = [];
    const listener = (event: Event) => {
      heard.push((event as CustomEvent).detail);
      event.preventDefault();
    };
    document.addEventListener('gsjupyter:interrupt', listener);
    await press('Cancel');
    document.removeEventListener('gsjupyter:interrupt', listener);
    expect(heard).toEqual([{ kernelId: 'k-1' }]);
    expect(status()).toContain('Cancelling');
  });
});

describe('what is predicted', () => {
  it('offers to measure what is not known, with the time it takes', async () => {
    await open({ options: { ...DEFAULTS, weights: 'int8', activations: 'int8' } });
    expect(host.textContent).toContain('(4.0\u00d7 smaller)');
    await press('Measure (about 12 s)');
    expect(model.commands.at(-1)).toBe('measure');
    await act(() => model.set('sensitivity', sensitivityOf()));
    expect(host.textContent).toContain(
      'The prediction leaves out int8 activations, which were not measured.'
    );
    await act(() => model.set('sensitivity', sensitivityOf({ ...DEFAULTS, activations: 'int8' })));
    expect(host.textContent).not.toContain('leaves out');
  });

  it('says what it leaves out, once there is a prediction of the output', async () => {
    await open({ options: { ...DEFAULTS, weights: 'int8', rounding: 'gptq', equalize: true } });
    const bar = () => host.querySelector('.gs-Panel-bar')!.textContent;
    expect(bar()).not.toContain('leaves out');
    await act(() => model.set('sensitivity', sensitivityOf()));
    expect(bar()).toContain('The prediction leaves out GPTQ, equalization.');
    await act(() => store.setLanguage('zh'));
    expect(bar()).toContain('预测未考虑GPTQ、均衡。');
  });

  it('says when nothing fits the budget', async () => {
    await open({ options: { ...DEFAULTS, budget: '99x' } });
    expect(host.textContent).toContain(
      'Not even 2 bits everywhere fit the budget: it takes 18 kB.'
    );
  });
});

it('a network without layers has one sentence instead of what would quantize them', async () => {
  const bare = { ...networkOf([]), names: { ...networkOf([]).names, output: 'qnet' } };
  await open({ network: bare, options: { ...DEFAULTS, weights: 'int8' } });
  const sentence = 'This network has no weights to quantize.';
  const shown = () => host.querySelector('[role=tabpanel]:not([hidden])')!;
  expect(shown().textContent).toContain(sentence);
  expect(shown().querySelectorAll('input, select')).toHaveLength(0);
  await press('Layers');
  expect(shown().textContent).toBe(sentence);
  expect(button('Measure (about 12 s)')).toBeUndefined();
  expect(host.querySelector('.gs-Panel-predicted')).toBeNull();
  expect(host.querySelector('.gs-Panel-bar')!.textContent).toContain(
    'Apply: convert to standard operators; then compare the output with the source. The result is qnet.'
  );
});

describe('a problem', () => {
  it('is told in words, as text, until it is dismissed', async () => {
    await open();
    await act(() =>
      model.set('problem', { command: 'apply', message: HOSTILE, advice: 'Do not.', option: null })
    );
    expect(host.querySelector('[role=alert]')?.textContent).toContain(`${HOSTILE} Do not.`);
    expect(host.querySelector('img')).toBeNull();
    await press('Dismiss');
    expect(host.querySelector('[role=alert]')).toBeNull();
  });
});

describe('without a kernel', () => {
  it('the form rests, sliders live, and a line says why', async () => {
    await open({ options: { ...DEFAULTS, budget: '6x' } }, true);
    expect(host.querySelector('[role=note]')?.textContent).toContain('run the cell');
    expect(button('Apply')).toBeUndefined();
    const disabled = (selector: string) =>
      [...host.querySelectorAll<HTMLInputElement>(selector)].map(item => item.disabled);
    expect(disabled('select, input[type=checkbox], input[type=text]')).not.toContain(false);
    expect(disabled('input[type=range]')).toEqual([false, false]);
  });

  it('that went away, the line says so', async () => {
    await open();
    await act(() => model.setLive(false));
    expect(host.querySelector('[role=note]')?.textContent).toContain('is gone');
    await act(() => model.setLive(true));
    expect(host.querySelector('[role=note]')).toBeNull();
  });
});

describe('the widget', () => {
  it('keeps what undo goes back to while its output is drawn again', async () => {
    model = new MadeUpModel(stateOf());
    let end = () => undefined as void;
    const close = widget.initialize({ model });
    await act(() => {
      end = widget.render({ model, el: host });
    });
    const format = host.querySelector('select')!;
    await act(() => {
      format.value = 'int4';
      format.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await act(() => [...host.querySelectorAll<HTMLElement>('[role=tab]')][3].click());
    await act(() => end());
    expect(host.childNodes).toHaveLength(0);
    await act(() => {
      end = widget.render({ model, el: host });
    });
    expect(host.querySelector('[aria-selected=true]')?.textContent).toBe('Code');
    await press('Undo');
    expect(model.values.options).toEqual(DEFAULTS);
    await act(() => end());
    close();
    expect(model.listeners).toBe(0);
  });
});

it('the widget leaves nothing behind', async () => {
  model = new MadeUpModel(stateOf());
  let end = () => undefined as void;
  await act(() => {
    end = widget.render({ model, el: host });
  });
  expect(host.querySelector('h2')?.textContent).toBe('LeNet5');
  await act(() => end());
  expect(host.childNodes).toHaveLength(0);
  expect(model.listeners).toBe(0);
});
