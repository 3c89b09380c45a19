import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { OpenNotebook } from '../src/notebooks';
import { VIEW_MIME_TYPE, savedViews, showSavedViewsIn } from '../src/savedView';
import { rest } from './panel/byHand';
import { HOSTILE, layerOf, networkOf, stateOf } from './panel/madeUp';

vi.hoisted(() => {
  // Lumino's drag and drop asks for it when it is imported, and jsdom has none.
  globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
});

const WIDGET_MIME_TYPE = 'application/vnd.jupyter.widget-view+json';

/** Stands in for the widget manager: shows what `answer` says, when it says so. */
class WidgetRenderer extends Panel implements IRenderMime.IRenderer {
  static all: WidgetRenderer[] = [];
  model: IRenderMime.IMimeModel | null = null;

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    this.node.textContent = 'Loading widget...';
    WidgetRenderer.all.push(this);
  }

  /** Show a widget, as ipywidgets does. */
  answer(): Widget {
    const view = new Widget();
    view.node.append(document.createElement('button'));
    this.node.textContent = '';
    this.addWidget(view);
    return view;
  }

  fail(): void {
    this.node.textContent = 'Error displaying widget: model not found';
  }
}

class MadeUpNotebook {
  readonly factories = new Map<string, { factory: IRenderMime.IRendererFactory; rank?: number }>();
  readonly statusChanged = new Signal<this, string>(this);
  readonly kernelChanged = new Signal<this, object>(this);
  kernel: { id: string } | null = { id: 'kernel' };
  readonly open = {
    cells: {
      rendermime: {
        addFactory: (factory: IRenderMime.IRendererFactory, rank?: number) =>
          factory.mimeTypes.forEach(type => this.factories.set(type, { factory, rank })),
        getFactory: (type: string) => this.factories.get(type)?.factory,
        createRenderer: (type: string) => this.create(type)
      }
    },
    session: {
      ready: Promise.resolve(),
      session: { kernel: this.kernel },
      statusChanged: this.statusChanged,
      kernelChanged: this.kernelChanged
    }
  };

  constructor() {
    showSavedViewsIn(this.open as unknown as OpenNotebook);
  }

  /** Have the widget manager come. */
  bringManager(): void {
    const createRenderer = () => new WidgetRenderer();
    this.factories.set(WIDGET_MIME_TYPE, {
      factory: { safe: false, mimeTypes: [WIDGET_MIME_TYPE], createRenderer },
      rank: -10
    });
  }

  loseKernel(): void {
    this.open.session.session.kernel = null;
  }

  create(type: string): IRenderMime.IRenderer {
    const factory = this.factories.get(type)?.factory;
    return factory!.createRenderer({ mimeType: type } as IRenderMime.IRendererOptions);
  }
}

function bundle(name: string, modelId: string | null = 'model', trusted = true) {
  const network = networkOf([layerOf('fc1', 'Dense', [4, 8])], name);
  const data = {
    [VIEW_MIME_TYPE]: { version: 1, kind: 'panel', state: stateOf({ network }) },
    ...(modelId !== null && { [WIDGET_MIME_TYPE]: { model_id: modelId } })
  };
  const model = { data, metadata: {}, trusted, setData: () => undefined };
  return model as unknown as IRenderMime.IMimeModel;
}

let notebook: MadeUpNotebook;
let output: IRenderMime.IRenderer;

/** Let observers and the panel's drawing have their turn. */
const turn = () => vi.advanceTimersByTimeAsync(20);
const patience = () => vi.advanceTimersByTimeAsync(300);
const savedName = () => output.node.querySelector('.gs-Panel h2')?.textContent ?? null;
const isHidden = (widget: Widget) => widget.isHidden;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  WidgetRenderer.all = [];
  notebook = new MadeUpNotebook();
  notebook.bringManager();
  output = notebook.create(VIEW_MIME_TYPE);
  Widget.attach(output, document.body);
});

afterAll(rest);

afterEach(() => {
  output.dispose();
  vi.useRealTimers();
});

it('goes before the widget manager, and shows in notebooks that are not trusted', () => {
  expect(notebook.factories.get(VIEW_MIME_TYPE)!.rank).toBeLessThan(-10);
  expect(notebook.factories.get(VIEW_MIME_TYPE)!.factory.safe).toBe(true);
});

describe('the saved view', () => {
  it('shows at once without a kernel', async () => {
    notebook.loseKernel();
    await output.renderModel(bundle('LeNet5'));
    expect(savedName()).toBe('LeNet5');
  });

  it('shows at once in a notebook that is not trusted, where the widget manager is not even asked', async () => {
    await output.renderModel(bundle('LeNet5', 'model', false));
    expect(savedName()).toBe('LeNet5');
    expect(WidgetRenderer.all).toEqual([]);
  });

  it('shows after a moment where a kernel is, and does not have the widget', async () => {
    await output.renderModel(bundle('LeNet5'));
    WidgetRenderer.all[0].fail();
    await turn();
    expect(savedName()).toBe(null);
    await patience();
    expect(savedName()).toBe('LeNet5');
    expect(isHidden(WidgetRenderer.all[0])).toBe(true);
  });

  it('follows the output', async () => {
    notebook.loseKernel();
    await output.renderModel(bundle('before'));
    await output.renderModel(bundle('after'));
    expect(savedName()).toBe('after');
  });

  it('shows outside of notebooks', async () => {
    const elsewhere = savedViews.createRenderer({} as IRenderMime.IRendererOptions);
    await elsewhere.renderModel(bundle(HOSTILE));
    expect(elsewhere.node.querySelector('h2')!.textContent).toBe(HOSTILE);
    expect(elsewhere.node.querySelector('img')).toBe(null);
    elsewhere.dispose();
  });

  it.each([null, 'text', {}, { version: 1, kind: HOSTILE, state: {} }, { kind: 'panel' }])(
    'says in words that it can not show %s',
    async view => {
      const model = bundle('LeNet5', null);
      await output.renderModel({ ...model, data: { [VIEW_MIME_TYPE]: view } });
      expect(output.node.querySelector('p')!.textContent).not.toBe('');
      expect(output.node.querySelector('img')).toBe(null);
    }
  );
});

describe('the live widget', () => {
  async function show(): Promise<Widget> {
    await output.renderModel(bundle('LeNet5'));
    const view = WidgetRenderer.all[0].answer();
    await turn();
    return view;
  }

  it('takes the place of the saved view, which is never drawn if the widget comes soon', async () => {
    await show();
    await patience();
    expect(isHidden(WidgetRenderer.all[0])).toBe(false);
    expect(savedName()).toBe(null);
  });

  it('takes its place later too', async () => {
    await output.renderModel(bundle('LeNet5'));
    await patience();
    WidgetRenderer.all[0].answer();
    await turn();
    expect(isHidden(WidgetRenderer.all[0])).toBe(false);
    expect(savedName()).toBe(null);
  });

  it('is asked for by its id, in a copy that the widget manager may change', async () => {
    const model = bundle('LeNet5');
    await output.renderModel(model);
    const view = WidgetRenderer.all[0].model!.data[WIDGET_MIME_TYPE] as { model_id: string };
    expect(view.model_id).toBe('model');
    view.model_id = '';
    expect(model.data[WIDGET_MIME_TYPE]).toEqual({ model_id: 'model' });
  });

  it('stays as it is when its output is updated', async () => {
    const view = await show();
    await output.renderModel(bundle('after'));
    await patience();
    expect(WidgetRenderer.all.length).toBe(1);
    expect(view.isAttached).toBe(true);
    expect(isHidden(WidgetRenderer.all[0])).toBe(false);
    expect(savedName()).toBe(null);
  });

  it('makes way for another', async () => {
    const view = await show();
    await output.renderModel(bundle('after', 'other'));
    expect(view.isDisposed).toBe(true);
    WidgetRenderer.all[1].answer();
    await turn();
    expect(isHidden(WidgetRenderer.all[1])).toBe(false);
  });

  it.each(['restarting', 'autorestarting', 'dead', 'terminating'])(
    'makes way for what was last saved when the kernel is %s, for good',
    async status => {
      const view = await show();
      await output.renderModel(bundle('after'));
      notebook.statusChanged.emit(status);
      await patience();
      expect(view.isDisposed).toBe(true);
      expect(savedName()).toBe('after');
      notebook.statusChanged.emit('idle');
      await output.renderModel(bundle('later'));
      expect(WidgetRenderer.all.length).toBe(1);
      expect(savedName()).toBe('later');
    }
  );

  it('makes way when the notebook gets another kernel, and not when it finds its own again', async () => {
    const view = await show();
    notebook.kernelChanged.emit({ oldValue: { id: 'kernel' }, newValue: { id: 'kernel' } });
    expect(view.isDisposed).toBe(false);
    notebook.kernelChanged.emit({ oldValue: { id: 'kernel' }, newValue: null });
    expect(view.isDisposed).toBe(true);
    expect(savedName()).toBe('LeNet5');
  });

  it('makes way when it is closed', async () => {
    const view = await show();
    view.dispose();
    await patience();
    expect(savedName()).toBe('LeNet5');
  });

  it('is asked for again when the widget manager of the notebook comes', async () => {
    await output.renderModel(bundle('LeNet5'));
    await patience();
    notebook.bringManager();
    notebook.statusChanged.emit('idle');
    expect(WidgetRenderer.all.length).toBe(2);
    expect(WidgetRenderer.all[0].isDisposed).toBe(true);
    WidgetRenderer.all[1].answer();
    await turn();
    expect(isHidden(WidgetRenderer.all[1])).toBe(false);
  });
});

it('lets go of the kernel when it is disposed', async () => {
  await output.renderModel(bundle('LeNet5'));
  output.dispose();
  notebook.bringManager();
  notebook.statusChanged.emit('idle');
  await patience();
  expect(WidgetRenderer.all.length).toBe(1);
});
