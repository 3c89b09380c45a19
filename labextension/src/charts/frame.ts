/** The place that every chart stands in: its picture, its words, its legend and its table, in the same order everywhere. */

import { element } from '../dom';
import { DataTable } from './dataTable';
import { Drawing, Surface } from './surface';

let charts = 0;

export class Frame {
  readonly root: HTMLElement;
  readonly scroller: HTMLElement;
  readonly content = element('div', { className: 'gs-Chart-content' });
  readonly surface: Surface;
  readonly table: DataTable;
  readonly #readout = element('div', {
    className: 'gs-Chart-readout',
    attributes: { 'aria-hidden': 'true' }
  });
  readonly #summary = element('p', { className: 'gs-Chart-unseen' });
  readonly #legend = element('div', {
    className: 'gs-Chart-legend',
    attributes: { 'aria-hidden': 'true' }
  });
  /** What was written last, by place: writing the same again would cost a layout. */
  readonly #written = new Map<string, string>();

  /** @param role what the picture is for assistive technology: `application` where keys work in it, otherwise `img` */
  constructor(host: HTMLElement, className: string, role: 'application' | 'img', drawing: Drawing) {
    charts += 1;
    this.#summary.id = `gs-Chart-summary-${charts}`;
    this.scroller = element('div', {
      className: 'gs-Chart-scroller',
      attributes: { role, 'aria-describedby': this.#summary.id },
      children: [this.content]
    });
    this.root = element('div', {
      className: `gs-Chart ${className}`,
      children: [this.#readout, this.scroller, this.#summary, this.#legend]
    });
    this.table = new DataTable(this.root);
    host.append(this.root);
    this.surface = new Surface(this.scroller, this.content, drawing);
    this.surface.canvas.setAttribute('aria-hidden', 'true');
  }

  /** The chart's accessible name, and what it shows in a few sentences. */
  describe(name: string, summary: string): void {
    this.#once('name', name, () => this.scroller.setAttribute('aria-label', name));
    this.#once('summary', summary, () => (this.#summary.textContent = summary));
  }

  /** The line above the picture. */
  read(name: string, detail: string, values: string): void {
    this.#once('readout', [name, detail, values].join('\n'), () =>
      this.#readout.replaceChildren(
        element('strong', { text: name }),
        element('span', { text: detail }),
        element('b', { text: values })
      )
    );
  }

  /** What the colours below the picture mean: pairs of a kind, as in charts.css, and its name. */
  explain(entries: readonly (readonly [string, string])[]): void {
    this.#once('legend', JSON.stringify(entries), () =>
      this.#legend.replaceChildren(
        ...entries.map(([kind, text]) => element('span', { className: `gs-mod-${kind}`, text }))
      )
    );
  }

  destroy(): void {
    this.surface.destroy();
    this.table.destroy();
    this.root.remove();
  }

  #once(place: string, text: string, write: () => void): void {
    if (this.#written.get(place) !== text) {
      this.#written.set(place, text);
      write();
    }
  }
}
