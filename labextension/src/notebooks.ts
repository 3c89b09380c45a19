/**
 * What other parts ask of an open notebook: its renderers, its kernel and its cells.
 *
 * JupyterLab's own types for them would need its whole notebook package. These name the few members that are used, which
 * are the same in JupyterLab since 4.2 and in Notebook 7.
 */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Widget } from '@lumino/widgets';

export type Session = DocumentRegistry.Context['sessionContext'];

export interface Renderers {
  addFactory(factory: IRenderMime.IRendererFactory, rank?: number): void;
  getFactory(mimeType: string): IRenderMime.IRendererFactory | undefined;
  createRenderer(mimeType: string): IRenderMime.IRenderer;
}

/** The list of cells: what JupyterLab calls a notebook's content. */
export interface Cells extends Widget {
  readonly rendermime: Renderers;
  readonly widgets: readonly Widget[];
  readonly model: {
    readonly readOnly: boolean;
    readonly sharedModel: {
      insertCell(index: number, cell: { cell_type: 'code'; source: string }): unknown;
    };
  } | null;
  activeCellIndex: number;
  mode: 'command' | 'edit';
  deselectAll(): void;
}

export interface OpenNotebook {
  readonly panel: Widget;
  readonly cells: Cells;
  readonly session: Session;
}

/** The notebook in a panel, or null if what is in it is something else. */
export function openNotebook(panel: Widget): OpenNotebook | null {
  const { content: cells, context } = panel as Partial<{
    content: Partial<Cells>;
    context: { sessionContext: Session };
  }>;
  return typeof cells?.rendermime?.addFactory === 'function' && context !== undefined
    ? { panel, cells: cells as Cells, session: context.sessionContext }
    : null;
}

export function kernelOf({ session }: OpenNotebook) {
  return session.session?.kernel ?? null;
}
