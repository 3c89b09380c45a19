/** The numbers of a chart as a table, for who can't see it and for who wants to copy them; made only once it is opened. */

import { element } from '../dom';

export interface Numbers {
  caption: string;
  columns: { label: string; number: boolean }[];
  rows: string[][];
}

/** How long the chart has to rest before an open table follows it: tables are slow, and sliders are not. */
const REST_MS = 250;

export class DataTable {
  readonly #details = element('details', { className: 'gs-Chart-numbers' });
  readonly #summary = element('summary');
  readonly #body = element('div', { className: 'gs-Chart-table' });
  #numbers: (() => Numbers) | null = null;
  #shown = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement) {
    this.#body.tabIndex = 0;
    this.#body.setAttribute('role', 'region');
    this.#details.append(this.#summary, this.#body);
    this.#details.addEventListener('toggle', () => this.#refresh());
    host.append(this.#details);
  }

  /** Take the numbers from `numbers` when they are wanted. */
  offer(label: string, numbers: () => Numbers): void {
    if (this.#summary.textContent !== label) {
      this.#summary.textContent = label;
    }
    this.#numbers = numbers;
    if (this.#details.open) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#refresh(), REST_MS);
    }
  }

  destroy(): void {
    clearTimeout(this.#timer);
  }

  #refresh(): void {
    if (!this.#details.open || !this.#numbers) {
      return;
    }
    const numbers = this.#numbers();
    // An update that changes no number leaves the reader's place and selected text alone.
    const shown = JSON.stringify(numbers);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#body.setAttribute('aria-label', numbers.caption);
      this.#body.replaceChildren(tableOf(numbers));
    }
  }
}

function tableOf({ caption, columns, rows }: Numbers): HTMLElement {
  const headings = columns.map(({ label, number }) =>
    element('th', { text: label, className: kind(number), attributes: { scope: 'col' } })
  );
  const body = rows.map(row =>
    element('tr', {
      children: row.map((text, index) =>
        index === 0
          ? element('th', { text, className: kind(false), attributes: { scope: 'row' } })
          : element('td', { text, className: kind(columns[index].number) })
      )
    })
  );
  return element('table', {
    children: [
      element('caption', { text: caption }),
      element('thead', { children: [element('tr', { children: headings })] }),
      element('tbody', { children: body })
    ]
  });
}

function kind(number: boolean): string {
  return number ? 'gs-mod-number' : 'gs-mod-text';
}
