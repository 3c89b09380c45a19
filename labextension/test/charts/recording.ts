/** A canvas that remembers what was drawn: jsdom has none, and pictures can't be compared with a number. */

import type { Size } from '../../src/charts/surface';
import type { Colour, Theme } from '../../src/charts/theme';

export interface Drawn {
  call: string;
  values: number[];
  text: string;
  /** The colour and transparency that were set. */
  fill: string;
  stroke: string;
  alpha: number;
}

/** In the order in which they are read from the page. */
export const COLOURS: Colour[] = [
  'background',
  'text',
  'line',
  'bar',
  'muted',
  'selected',
  'truth',
  'clipped',
  'band',
  'hover',
  'focus'
];

/** Each colour is its name. */
export const THEME: Theme = {
  colours: Object.fromEntries(COLOURS.map(name => [name, name])) as Record<Colour, string>,
  font: '11px test'
};

export const LETTER = 6;

export class Recording {
  readonly drawn: Drawn[] = [];
  fillStyle = '';
  strokeStyle = '';
  globalAlpha = 1;
  lineWidth = 1;
  font = '';
  textAlign = '';
  textBaseline = '';
  measured = 0;
  #path: Drawn[] = [];

  measureText(text: string): { width: number } {
    this.measured += 1;
    return { width: LETTER * text.length };
  }

  beginPath(): void {
    this.#path = [];
  }
  rect(...values: number[]): void {
    this.#path.push(this.#now('rect', values));
  }
  moveTo(...values: number[]): void {
    this.#path.push(this.#now('moveTo', values));
  }
  lineTo(...values: number[]): void {
    this.#path.push(this.#now('lineTo', values));
  }
  arc(...values: number[]): void {
    this.#path.push(this.#now('arc', values));
  }
  fill(): void {
    this.#finish('fill');
  }
  stroke(): void {
    this.#finish('stroke');
  }
  fillRect(...values: number[]): void {
    this.drawn.push(this.#now('fillRect', values));
  }
  strokeRect(...values: number[]): void {
    this.drawn.push(this.#now('strokeRect', values));
  }
  fillText(text: string, x: number, y: number): void {
    this.drawn.push({ ...this.#now('text', [x, y]), text });
  }
  clearRect(): void {
    this.drawn.length = 0;
  }
  closePath(): void {}
  save(): void {}
  restore(): void {}
  clip(): void {}
  translate(): void {}
  rotate(): void {}
  setTransform(): void {}

  /** What was drawn in `colour` by `call`. */
  of(call: string, colour?: string): Drawn[] {
    return this.drawn.filter(
      item =>
        item.call === call && (colour === undefined || [item.fill, item.stroke].includes(colour))
    );
  }

  get texts(): string[] {
    return this.of('text').map(({ text }) => text);
  }

  get context(): CanvasRenderingContext2D {
    return this as unknown as CanvasRenderingContext2D;
  }

  #now(call: string, values: number[]): Drawn {
    return {
      call,
      values,
      text: '',
      fill: this.fillStyle,
      stroke: '',
      alpha: this.globalAlpha
    };
  }

  #finish(how: 'fill' | 'stroke'): void {
    for (const item of this.#path) {
      const colours =
        how === 'fill'
          ? { fill: this.fillStyle, stroke: '' }
          : { fill: '', stroke: this.strokeStyle };
      this.drawn.push({ ...item, ...colours, alpha: this.globalAlpha });
    }
  }
}

export const SIZE: Size = { width: 866, height: 268, ratio: 1 };
