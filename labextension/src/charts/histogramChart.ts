/** How a layer's values lie, and which of them its grid can hold: without it, clipping is a number one has to believe in. */

import { element } from '../dom';
import { drawHistogram, histogramPlot, histogramScale } from './drawHistogram';
import { Frame } from './frame';
import { MOST_GRID_LINES, clippedShare, isEmpty, numbersOf, summaryOf } from './histogram';
import { across } from './plot';
import { TextWidths } from './text';
import type { HistogramData, Language } from './types';
import { filled, wordsOf } from './words';

const NOTHING_YET: HistogramData = {
  edges: [],
  counts: [],
  grid: [],
  clipLow: 0,
  clipHigh: 0,
  caption: ''
};

export class HistogramChart {
  readonly #frame: Frame;
  readonly #widths = new TextWidths();
  readonly #logarithmic = element('input', { attributes: { type: 'checkbox' } });
  readonly #logarithmicLabel = element('span');
  #data = NOTHING_YET;
  #language: Language;
  #hovered: number | null = null;

  constructor(host: HTMLElement, language: Language = 'en') {
    this.#language = language;
    this.#frame = new Frame(host, 'gs-HistogramChart', 'img', {
      paint: (context, size, theme) => {
        if (!isEmpty(this.#data)) {
          const picture = {
            data: this.#data,
            logarithmic: this.#logarithmic.checked,
            hovered: this.#hovered,
            words: wordsOf(this.#language)
          };
          drawHistogram(context, size, theme, picture, this.#widths);
        }
      },
      describe: () => this.#describe()
    });
    const label = element('label', {
      className: 'gs-Chart-option',
      children: [this.#logarithmic, this.#logarithmicLabel]
    });
    this.#frame.scroller.after(label);
    this.#logarithmic.addEventListener('change', () => this.#frame.surface.request());
    const { canvas } = this.#frame.surface;
    canvas.addEventListener('pointermove', event => this.#hover(this.#binAt(event.offsetX)));
    canvas.addEventListener('pointerleave', () => this.#hover(null));
    this.#describe();
  }

  /** Resolves when what was last given is drawn. */
  get drawn(): Promise<void> {
    return this.#frame.surface.drawn;
  }

  update(data: HistogramData & { language?: Language }): void {
    this.#data = data;
    this.#language = data.language ?? this.#language;
    this.#hovered = null;
    this.#frame.surface.request();
  }

  destroy(): void {
    this.#frame.destroy();
  }

  #describe(): void {
    const words = wordsOf(this.#language);
    const data = this.#data;
    this.#frame.describe(data.caption || words.histogram, summaryOf(data, words));
    this.#logarithmicLabel.textContent = words.logScale;
    this.#frame.read(data.caption, isEmpty(data) ? words.histogramEmpty : '', '');
    const grid = filled(data.grid.length > MOST_GRID_LINES ? words.gridBand : words.grid, {
      count: data.grid.length
    });
    this.#frame.explain([
      ...(data.grid.length > 0 ? [['grid', grid] as const] : []),
      ...(clippedShare(data) > 1e-9 ? [['clipped', words.clipped] as const] : [])
    ]);
    this.#frame.table.offer(words.numbers, () => numbersOf(this.#data, words));
  }

  #binAt(x: number): number | null {
    if (isEmpty(this.#data)) {
      return null;
    }
    const plot = histogramPlot(this.#frame.surface.size);
    const scale = histogramScale(this.#data);
    const { edges } = this.#data;
    const bin = edges.findIndex(edge => across(plot, scale, edge) > x) - 1;
    return bin >= 0 && x >= plot.left ? bin : null;
  }

  #hover(bin: number | null): void {
    if (bin !== this.#hovered) {
      this.#hovered = bin;
      this.#frame.surface.request();
    }
  }
}
