import { render } from 'preact';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CodeTab } from '../../src/panel/codeTab';
import type { Connection } from '../../src/panel/connection';
import { ModelConnection, SavedConnection } from '../../src/panel/connection';
import { DEFAULTS } from '../../src/panel/core/settings';
import { INSERT_CELL } from '../../src/panel/notebookEvents';
import { Store } from '../../src/panel/store';
import { TaskBar } from '../../src/panel/taskBar';
import type { PanelState } from '../../src/panel/types';
import { Form, rest, turn } from './byHand';
import { HOSTILE, MadeUpModel, MadeUpPredictor, resultOf, stateOf } from './madeUp';

const CODE = `%%gs_convert net x\nlayers:\n  "${HOSTILE}": int4`;

let host: HTMLElement;
let form: Form;
let model: MadeUpModel;
let store: Store;
let written: string[];

const status = () => host.querySelector('[role=status]')!.textContent;

async function open(changes: Partial<PanelState> = {}, live = true): Promise<void> {
  const state = stateOf({ code: CODE, ...changes });
  model = new MadeUpModel(state);
  const connection: Connection = live ? new ModelConnection(model) : new SavedConnection(state);
  store = new Store(connection, new MadeUpPredictor(state.network));
  render(<CodeTab store={store} />, host);
  await turn();
  model.sent.length = 0;
}

/** Give the page a clipboard, as pages with https have one. */
function allowClipboard(writeText = async (text: string) => void written.push(text)): void {
  Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
}

/** What the old way of copying would put into the clipboard. */
function allowCommand(answer: boolean): void {
  document.execCommand = vi.fn(() => {
    written.push(String(window.getSelection()));
    return answer;
  });
}

beforeEach(() => {
  written = [];
  host = document.createElement('div');
  form = new Form(host);
  document.body.append(host);
});

afterAll(rest);

afterEach(() => {
  render(null, host);
  store.close();
  host.remove();
  Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });
});

describe('the code', () => {
  it('shows as text, whatever names are in it', async () => {
    await open();
    expect(host.querySelector('pre')!.textContent).toBe(CODE);
    expect(host.querySelector('img')).toBe(null);
  });

  it('is copied, and that is said until there is another', async () => {
    allowClipboard();
    await open();
    await form.press('Copy');
    expect(written).toEqual([CODE]);
    expect(status()).toBe('Copied.');
    model.set('code', '%gs_convert net x');
    await turn();
    expect(status()).toBe('');
  });

  it('is copied the old way where the browser has no clipboard, or refuses it', async () => {
    allowCommand(true);
    await open();
    await form.press('Copy');
    allowClipboard(async () => Promise.reject(new Error('not allowed')));
    await form.press('Copy');
    expect(written).toEqual([CODE, CODE]);
    expect(status()).toBe('Copied.');
  });

  it('is selected where nothing may be copied', async () => {
    allowCommand(false);
    await open();
    await form.press('Copy');
    expect(String(window.getSelection())).toBe(CODE);
    expect(status()).toContain('The code is selected');
  });

  it('goes into a new cell of the notebook that answers', async () => {
    const task = { ...stateOf().task, kernel_id: 'kernel' };
    await open({ task });
    const asked = vi.fn((event: Event) => event.preventDefault());
    document.addEventListener(INSERT_CELL, asked, { once: true });
    await form.press('New cell');
    const event = asked.mock.calls[0][0] as CustomEvent;
    expect(event.detail).toEqual({ code: CODE, kernelId: 'kernel' });
    expect(host.contains(event.target as Node)).toBe(true);
    expect(status()).toBe('Put into a new cell below.');
  });

  it('is copied instead where no notebook answers, in a saved view too', async () => {
    allowClipboard();
    await open({}, false);
    await form.press('New cell');
    expect(written).toEqual([CODE]);
    expect(status()).toBe('No notebook took a new cell, so the code was copied.');
  });
});

describe('export', () => {
  it('waits for a conversion', async () => {
    await open();
    expect(form.button('Export')!.getAttribute('aria-disabled')).toBe('true');
    await form.press('Export');
    expect(model.sent).toEqual([]);
    model.set('results', [resultOf()]);
    await turn();
    await form.press('Export');
    expect(model.sent[0]).toMatchObject({ command: 'export', path: 'lenet5.mindir' });
  });

  it('says which conversion it writes, and when that has other options than the code', async () => {
    const first = resultOf();
    const last = resultOf({ number: 2, options: { ...DEFAULTS, weights: 'int4' }, title: HOSTILE });
    await open({ options: last.options, results: [first, last] });
    expect(host.textContent).toContain(`Writes conversion 2 (${HOSTILE}).`);
    store.change(first.options, true);
    await turn();
    expect(host.querySelector('.gs-Panel-error')!.textContent).toBe(
      `Writes conversion 2 (${HOSTILE}), which has other options than those above. Apply first to write these.`
    );
    expect(host.querySelector('img')).toBe(null);
  });

  it('sends what was chosen', async () => {
    await open({ results: [resultOf()] });
    await form.type('File', ' out/net.onnx ');
    await form.tick('Replace a file that is there');
    await form.tick('In float16');
    await form.press('Export');
    expect(model.sent[0]).toMatchObject({
      command: 'export',
      path: 'out/net.onnx',
      overwrite: true,
      float16: true
    });
  });

  it('offers float16 for ONNX files only, and forgets it for others', async () => {
    await open({ results: [resultOf()] });
    expect(form.control('In float16').disabled).toBe(true);
    await form.type('File', 'net.onnx');
    await form.tick('In float16');
    await form.type('File', 'net.mindir');
    await form.press('Export');
    expect(model.sent[0]).toMatchObject({ path: 'net.mindir', float16: false });
  });

  it('needs a name', async () => {
    await open({ results: [resultOf()] });
    await form.type('File', '  ');
    await form.press('Export');
    expect(model.sent).toEqual([]);
  });

  it('says at the field what went wrong', async () => {
    await open({ options: resultOf().options, results: [resultOf()] });
    const message = `${HOSTILE}.onnx exists.`;
    model.set('problem', { command: 'export', message, advice: 'Overwrite it.', option: null });
    await turn();
    expect(form.control('File').getAttribute('aria-invalid')).toBe('true');
    expect(host.querySelector('.gs-Panel-error')!.textContent).toBe(`${message} Overwrite it.`);
  });

  it('names its own switch where a file is there, in the bar too', async () => {
    const message = 'net.mindir exists.';
    const problem = { command: 'export', message, advice: 'Add --overwrite.', option: 'overwrite' };
    await open({ options: resultOf().options, results: [resultOf()], problem });
    const advice = 'Turn on \u201cReplace a file that is there\u201d, or give another name.';
    expect(host.querySelector('.gs-Panel-error')!.textContent).toBe(`${message} ${advice}`);
    render(<TaskBar store={store} />, host);
    expect(host.querySelector('[role=alert]')!.textContent).toContain(`${message} ${advice}`);
  });

  it('lists what was exported', async () => {
    const files = [{ path: `${HOSTILE}.onnx`, size_bytes: 66000, summary: 'int8 weights' }];
    await open({ exported: files }, false);
    const items = [...host.querySelectorAll('li')].map(item => item.textContent);
    expect(items).toEqual([`${HOSTILE}.onnx 66 kBint8 weights`]);
    expect(host.querySelector('img')).toBe(null);
  });
});
