/**
 * What a panel in a notebook asks of the notebook: to interrupt its kernel, to take a new cell, and whether it may stay.
 *
 * A widget can do none of that by itself. It sends a document event; one that was answered has its default prevented, so that
 * the panel knows where nobody listens.
 */

import type { OpenNotebook } from './notebooks';
import { kernelOf } from './notebooks';
import { IN_PLACE, INSERT_CELL, INTERRUPT } from './panel/notebookEvents';

/** Answer the events of `page` for the notebooks that are open; returns what ends that. */
export function answerPanels(page: Document, notebooks: Iterable<OpenNotebook>): () => void {
  const onInterrupt = (event: Event) => {
    const { kernelId } = detailOf(event);
    const kernel = [...notebooks].map(kernelOf).find(kernel => kernel?.id === kernelId);
    if (kernel) {
      event.preventDefault();
      kernel.interrupt().catch((error: unknown) => console.warn(error));
    }
  };
  const onInsertCell = (event: Event) => {
    const { code, kernelId } = detailOf(event);
    const notebook = notebookOf(event.target, kernelId, [...notebooks]);
    if (notebook && code !== null && insertCell(notebook, code, event.target)) {
      event.preventDefault();
    }
  };
  // `savedView.ts` sees to it in every notebook.
  const onInPlace = (event: Event) => event.preventDefault();
  page.addEventListener(IN_PLACE, onInPlace);
  page.addEventListener(INTERRUPT, onInterrupt);
  page.addEventListener(INSERT_CELL, onInsertCell);
  return () => {
    page.removeEventListener(IN_PLACE, onInPlace);
    page.removeEventListener(INTERRUPT, onInterrupt);
    page.removeEventListener(INSERT_CELL, onInsertCell);
  };
}

/** The notebook that a panel stands in, or else the one whose kernel the panel has. */
function notebookOf(
  target: EventTarget | null,
  kernelId: string | null,
  notebooks: OpenNotebook[]
): OpenNotebook | undefined {
  return (
    notebooks.find(({ cells }) => holds(cells.node, target)) ??
    notebooks.find(notebook => kernelId !== null && kernelOf(notebook)?.id === kernelId)
  );
}

/** Whether a cell with `code` could be put below the one that holds `target`, or below the active one. */
function insertCell({ cells }: OpenNotebook, code: string, target: EventTarget | null): boolean {
  if (cells.model === null || cells.model.readOnly) {
    return false;
  }
  const around = cells.widgets.findIndex(cell => holds(cell.node, target));
  const index = (around >= 0 ? around : cells.activeCellIndex) + 1;
  cells.model.sharedModel.insertCell(index, { cell_type: 'code', source: code });
  cells.deselectAll();
  cells.activeCellIndex = index;
  cells.mode = 'edit';
  // In edit mode this puts the cursor into the active cell.
  cells.activate();
  return true;
}

function holds(node: Node, target: EventTarget | null): boolean {
  return target instanceof Node && target !== node.ownerDocument && node.contains(target);
}

/** What an event says; any script on the page may have sent it. */
function detailOf(event: Event): { code: string | null; kernelId: string | null } {
  const detail: unknown = event instanceof CustomEvent ? event.detail : null;
  const { code, kernelId } = Object(detail) as { code?: unknown; kernelId?: unknown };
  return {
    code: typeof code === 'string' ? code : null,
    kernelId: typeof kernelId === 'string' ? kernelId : null
  };
}
