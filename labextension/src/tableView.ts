/** Draws a table that sorts by its headings and, when long, filters as one types. */

import { Column, Table } from './document';
import { element } from './dom';
import { CellView, RowView, Sort, nextSort, rowViews, visibleRows } from './table';

/** A table with more rows than this gets a filter box. */
const ROWS_IN_VIEW = 12;

export function tableView(table: Table): HTMLElement {
  const rows = rowViews(table);
  const body = element('tbody');
  const count = element('output', { className: 'gs-Report-count' });
  const headings = table.columns.map(heading);
  let sort: Sort = null;
  let query = '';

  const update = () => {
    const visible = visibleRows(rows, query, sort);
    body.replaceChildren(...visible.map(row => tableRow(table.columns, row)));
    count.textContent = visible.length < rows.length ? `${visible.length} of ${rows.length}` : '';
    headings.forEach((cell, index) => {
      cell.setAttribute('aria-sort', sort?.column === index ? sort.direction : 'none');
    });
  };
  headings.forEach((cell, index) => {
    cell.querySelector('button')?.addEventListener('click', () => {
      sort = nextSort(sort, index);
      update();
    });
  });
  update();

  const children: Node[] = [scroller(table, headings, body)];
  if (rows.length > ROWS_IN_VIEW) {
    children.unshift(
      filterBox(table.title, count, text => {
        query = text;
        update();
      })
    );
  }
  return element('section', { className: 'gs-Report-table', children });
}

function scroller(table: Table, headings: HTMLElement[], body: HTMLElement): HTMLElement {
  const head = element('thead', { children: [element('tr', { children: headings })] });
  const caption = element('caption', { text: table.title });
  return element('div', {
    className: 'gs-Report-scroller',
    // Focusable, so that a long table scrolls by keyboard too.
    attributes: { role: 'region', tabindex: '0', 'aria-label': table.title },
    children: [element('table', { children: [caption, head, body] })]
  });
}

function heading(column: Column): HTMLElement {
  const arrow = element('span', {
    className: 'gs-Report-arrow',
    attributes: { 'aria-hidden': 'true' }
  });
  const button = element('button', {
    text: column.label,
    attributes: { type: 'button', title: `Sort by ${column.label}` }
  });
  button.append(arrow);
  return element('th', {
    className: alignment(column),
    attributes: { scope: 'col' },
    children: [button]
  });
}

function tableRow(columns: readonly Column[], row: RowView): HTMLElement {
  const cells = row.cells.map((cell, index) => {
    const column = columns[index];
    const options = { className: alignment(column), children: cellContent(cell) };
    return index === 0 && column.kind === 'text'
      ? element('th', { ...options, attributes: { scope: 'row' } })
      : element('td', options);
  });
  return element('tr', { children: cells });
}

function cellContent({ text, bar }: CellView): Node[] {
  const value = element('span', { className: 'gs-Report-value', text });
  if (bar === undefined) {
    return [value];
  }
  const strip = element('span', {
    className: 'gs-Report-bar',
    attributes: { 'aria-hidden': 'true' }
  });
  strip.style.setProperty('--gs-share', bar.toFixed(3));
  return [strip, value];
}

function alignment(column: Column): string {
  return column.kind === 'text' ? 'gs-mod-text' : 'gs-mod-number';
}

function filterBox(
  title: string,
  count: HTMLElement,
  changed: (query: string) => void
): HTMLElement {
  const input = element('input', {
    attributes: { type: 'search', placeholder: 'Filter', 'aria-label': `Filter ${title}` }
  });
  input.addEventListener('input', () => changed(input.value));
  return element('div', { className: 'gs-Report-filter', children: [input, count] });
}
