/**
 * Shows what a notebook keeps of a panel, and the panel itself in its place while a kernel has it.
 *
 * Without it, a notebook that is opened again would show "Loading widget..." where panels were.
 */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';

import { element } from './dom';
import { LiveView, modelIdOf, WIDGET_MIME_TYPE } from './liveView';
import type { OpenNotebook } from './notebooks';
import { kernelOf } from './notebooks';
import { showSaved } from './panel/saved';

export const VIEW_MIME_TYPE = 'application/vnd.gsjupyter.view+json';

/** Before the widget manager's own, which is -10 and would show nothing where no kernel runs. */
const RANK = -20;
/** How long a kernel that may have the widget is waited for before the saved view is drawn. */
const PATIENCE_MS = 250;
/** What a kernel's status is when its widgets are lost. */
const ENDS: readonly string[] = ['restarting', 'autorestarting', 'terminating', 'dead'];

/** Shows saved views alone, where there is no notebook and no kernel. */
export const savedViews: IRenderMime.IRendererFactory = {
  // Nothing in a saved view is run or read as markup, so it shows in notebooks that are not trusted.
  safe: true,
  mimeTypes: [VIEW_MIME_TYPE],
  createRenderer: () => new SavedViewRenderer(null)
};

/** Have a notebook show its saved views, each with the live widget in its place where there is one. */
export function showSavedViewsIn(notebook: OpenNotebook): void {
  const lost = new Set<string>();
  const createRenderer = () => new SavedViewRenderer({ ...notebook, lost });
  notebook.cells.rendermime.addFactory({ ...savedViews, createRenderer }, RANK);
}

interface KernelChange {
  oldValue: { readonly id: string } | null;
  newValue: { readonly id: string } | null;
}

/** A notebook, with the ids of the widgets that ended with their kernel. */
interface Surroundings extends OpenNotebook {
  lost: Set<string>;
}

export class SavedViewRenderer extends Panel implements IRenderMime.IRenderer {
  private readonly saved = new SavedView();
  private live: LiveView | null = null;
  /** What made the live view: another one when the widget manager has come. */
  private maker: IRenderMime.IRendererFactory | undefined;
  private modelId: string | null = null;
  private timer = 0;

  constructor(private readonly notebook: Surroundings | null) {
    super();
    this.addWidget(this.saved);
    notebook?.session.statusChanged.connect(this.onStatus, this);
    notebook?.session.kernelChanged.connect(this.onKernel, this);
    // The widget manager comes into a notebook just after its session is ready.
    void notebook?.session.ready.then(() => window.setTimeout(() => this.seekLive()));
  }

  /** Show an output, or what has become of it; a live widget that is still the same stays as it is. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.saved.data = model.data[VIEW_MIME_TYPE];
    const modelId = model.trusted ? modelIdOf(model.data[WIDGET_MIME_TYPE]) : null;
    if (modelId !== this.modelId) {
      this.dropLive();
      this.modelId = modelId;
    }
    this.seekLive();
    this.arrange();
  }

  dispose(): void {
    if (!this.isDisposed) {
      window.clearTimeout(this.timer);
      this.notebook?.session.statusChanged.disconnect(this.onStatus, this);
      this.notebook?.session.kernelChanged.disconnect(this.onKernel, this);
      this.dropLive();
      super.dispose();
    }
  }

  private seekLive(): void {
    const { notebook, modelId } = this;
    const maker = notebook?.cells.rendermime.getFactory(WIDGET_MIME_TYPE);
    const asked = this.live !== null && (this.live.isThere || this.maker === maker);
    if (this.isDisposed || notebook === null || modelId === null || asked) {
      return;
    }
    if (maker !== undefined && !notebook.lost.has(modelId)) {
      this.dropLive();
      this.maker = maker;
      this.live = new LiveView(notebook.cells.rendermime, modelId, () => this.arrange());
      this.addWidget(this.live.renderer);
    }
  }

  private dropLive(): void {
    this.live?.dispose();
    this.live = null;
  }

  /** Show the live widget or the saved view. */
  private arrange(): void {
    window.clearTimeout(this.timer);
    if (this.live?.isThere) {
      this.live.renderer.show();
      this.saved.clear();
      return;
    }
    this.live?.renderer.hide();
    const kernel = this.notebook && kernelOf(this.notebook);
    if (this.live !== null && kernel !== null && !this.saved.isDrawn) {
      // Most probably the widget comes at once, and nobody wants to see two panels flash by.
      this.timer = window.setTimeout(() => this.saved.draw(), PATIENCE_MS);
    } else {
      this.saved.draw();
    }
  }

  private onStatus(_: unknown, status: string): void {
    if (ENDS.includes(status)) {
      this.endLive();
    } else {
      this.seekLive();
    }
  }

  private onKernel(_: unknown, { oldValue, newValue }: KernelChange): void {
    if (oldValue !== null && oldValue.id !== newValue?.id) {
      this.endLive();
    } else {
      this.seekLive();
    }
  }

  /** The widget manager keeps models whose kernel has ended, as if they were alive. */
  private endLive(): void {
    if (this.modelId !== null) {
      this.notebook?.lost.add(this.modelId);
    }
    this.dropLive();
    this.arrange();
  }
}

/** What a bundle's saved view holds, drawn when it is to be seen. */
class SavedView extends Widget {
  data: unknown = null;
  private drawn: unknown = null;
  private end: (() => void) | null = null;

  get isDrawn(): boolean {
    return this.end !== null;
  }

  draw(): void {
    if (!this.isDisposed && (this.end === null || this.drawn !== this.data)) {
      this.clear();
      this.drawn = this.data;
      this.end = showView(this.node, this.data);
    }
    this.show();
  }

  clear(): void {
    this.end?.();
    this.end = null;
    this.hide();
  }

  dispose(): void {
    this.clear();
    super.dispose();
  }
}

/** Show a saved view of any kind, or a line that says why not; returns what ends it. */
function showView(host: HTMLElement, data: unknown): () => void {
  const { kind } = Object(data) as { kind?: unknown };
  if (kind === 'panel') {
    return showSaved(host, data);
  }
  const text = `This gsjupyter can't show a saved "${String(kind)}". Update gsjupyter, then reload the page.`;
  host.replaceChildren(element('p', { className: 'gs-Report-unreadable', text }));
  return () => host.replaceChildren();
}
