/** What a size costs: the output SQNR of every size, and where the network is now. */

import { bestWithin, marksOf, numbersOf, summaryOf, sweepOf } from './curve';
import { CurvePicture, curveAxes, drawCurve } from './drawCurve';
import { Frame } from './frame';
import { bytes, decibels } from './numbers';
import { TextWidths } from './text';
import type { CurveData, Language } from './types';
import { wordsOf } from './words';

const NOTHING_YET: CurveData = { bytes: [], sqnrDb: [], now: null, uniform: [], truths: [] };

export class CurveChart {
  readonly #frame: Frame;
  readonly #widths = new TextWidths();
  #data = NOTHING_YET;
  #language: Language;
  #hovered: number | null = null;

  constructor(host: HTMLElement, language: Language = 'en') {
    this.#language = language;
    this.#frame = new Frame(host, 'gs-CurveChart', 'img', {
      paint: (context, size, theme) => {
        drawCurve(context, size, theme, this.#picture, this.#widths);
      },
      describe: () => this.#describe()
    });
    const { canvas } = this.#frame.surface;
    canvas.addEventListener('pointermove', event => this.#hover(this.#sizeAt(event.offsetX)));
    canvas.addEventListener('pointerleave', () => this.#hover(null));
    this.#describe();
  }

  /** Resolves when what was last given is drawn. */
  get drawn(): Promise<void> {
    return this.#frame.surface.drawn;
  }

  update(data: CurveData & { language?: Language }): void {
    this.#data = data;
    this.#language = data.language ?? this.#language;
    this.#frame.surface.request();
  }

  destroy(): void {
    this.#frame.destroy();
  }

  get #picture(): CurvePicture {
    return { data: this.#data, hovered: this.#hovered, words: wordsOf(this.#language) };
  }

  #describe(): void {
    const words = wordsOf(this.#language);
    const summary = summaryOf(this.#data, words);
    this.#frame.describe(words.curve, summary);
    const best = this.#hovered === null ? null : bestWithin(sweepOf(this.#data), this.#hovered);
    if (best) {
      this.#frame.read(words.best, bytes(best.bytes), decibels(best.sqnrDb));
    } else {
      this.#frame.read('', summary, '');
    }
    const kinds = new Set(marksOf(this.#data, words).map(mark => mark.kind));
    const legend: [string, string][] = [
      ['curve', words.best],
      ['now', words.now],
      ['uniform', words.uniformLegend],
      ['diamond', words.measured]
    ];
    const present = [
      this.#data.bytes.length > 0,
      kinds.has('now'),
      kinds.has('uniform'),
      kinds.has('truth')
    ];
    this.#frame.explain(legend.filter((_, index) => present[index]));
    this.#frame.table.offer(words.numbers, () => numbersOf(this.#data, words));
  }

  /** The size that lies at `x`. */
  #sizeAt(x: number): number | null {
    const axes = curveAxes(this.#frame.surface.size, this.#picture);
    if (!axes) {
      return null;
    }
    const { plot, level } = axes;
    const part = (x - plot.left) / (plot.right - plot.left);
    return part >= 0 && part <= 1 ? level.low * (level.high / level.low) ** part : null;
  }

  #hover(size: number | null): void {
    if (size !== this.#hovered) {
      this.#hovered = size;
      this.#frame.surface.request();
    }
  }
}
