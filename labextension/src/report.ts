/** Draws a report: a title, then its blocks one below the other. */

import { layersView } from './charts/layersView';
import { Block, Item, Message, readReport } from './document';
import { element } from './dom';
import { keepKeys } from './keys';
import { tableView } from './tableView';

const LEVEL_NAMES: Record<Message['level'], string> = {
  note: 'Note',
  warning: 'Warning',
  error: 'Error'
};

/** The elements that show `data`, whatever it holds. */
export function reportView(data: unknown): HTMLElement {
  const report = readReport(data);
  const blocks = report.blocks.map(blockView);
  const title = report.title
    ? [element('div', { className: 'gs-Report-title', text: report.title })]
    : [];
  const view = element('div', {
    className: 'gs-Report',
    // Enter and the arrow keys belong to the table while it has the focus, not to the notebook's commands.
    attributes: { 'data-lm-suppress-shortcuts': 'true' },
    children: [...title, ...blocks]
  });
  view.addEventListener('focusin', keepKeys);
  return view;
}

function blockView(block: Block): HTMLElement {
  switch (block.type) {
    case 'facts':
      return element('dl', { className: 'gs-Report-facts', children: block.items.map(factView) });
    case 'table':
      return tableView(block);
    case 'layers':
      return layersView(block);
    case 'messages':
      return element('ul', {
        className: 'gs-Report-messages',
        children: block.items.map(messageView)
      });
    case 'unreadable':
      return element('p', { className: 'gs-Report-unreadable', text: block.reason });
  }
}

function factView({ label, value }: Item): HTMLElement {
  return element('div', {
    children: [element('dt', { text: label }), element('dd', { text: value })]
  });
}

function messageView({ level, text }: Message): HTMLElement {
  return element('li', {
    className: `gs-mod-${level}`,
    children: [
      element('strong', { text: LEVEL_NAMES[level] }),
      element('span', { className: 'gs-Report-text', text })
    ]
  });
}
