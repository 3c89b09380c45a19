/** A live widget inside of another output: without it one couldn't tell a widget from the word that it is loading. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

import type { Renderers } from './notebooks';

export const WIDGET_MIME_TYPE = 'application/vnd.jupyter.widget-view+json';

export class LiveView {
  /** The widget manager's own renderer; hidden until there is something to see. */
  readonly renderer: IRenderMime.IRenderer;
  private readonly observer = new MutationObserver(() => this.look());
  private there = false;

  /** Ask the widget manager for a model; `changed` is called when its widget appears, and when it goes. */
  constructor(
    renderers: Renderers,
    modelId: string,
    private readonly changed: () => void
  ) {
    this.renderer = renderers.createRenderer(WIDGET_MIME_TYPE);
    this.renderer.hide();
    this.watch();
    // A copy of its own, since the widget manager takes the id out when the widget goes.
    const view = { version_major: 2, version_minor: 0, model_id: modelId };
    const model = {
      trusted: true,
      data: { [WIDGET_MIME_TYPE]: view },
      metadata: {},
      setData: () => undefined
    };
    this.renderer.renderModel(model).catch((error: unknown) => console.warn(error));
  }

  /** Whether there is a widget, and not only a word about it. */
  get isThere(): boolean {
    return this.there;
  }

  /** Let go of it all. */
  dispose(): void {
    this.observer.disconnect();
    this.renderer.dispose();
  }

  private look(): void {
    const there = [...this.renderer.node.children].some(child => child.hasChildNodes());
    if (there !== this.there) {
      this.there = there;
      this.watch();
      this.changed();
    }
  }

  /** A widget that is there changes often inside, which means nothing here. */
  private watch(): void {
    this.observer.disconnect();
    this.observer.observe(this.renderer.node, { childList: true, subtree: !this.there });
  }
}

/** The id of the model that a bundle's widget view names, if it names one. */
export function modelIdOf(view: unknown): string | null {
  const { model_id: id } = Object(view) as { model_id?: unknown };
  return typeof id === 'string' && id !== '' ? id : null;
}
