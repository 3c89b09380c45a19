/** A canvas that fills its place, sharp on every screen, drawn at most once a frame. */

import { element } from '../dom';
import { Palette, Theme } from './theme';

/** In CSS pixels. */
export interface Size {
  width: number;
  height: number;
  /** Device pixels per CSS pixel. */
  ratio: number;
}

export interface Drawing {
  /** Draw the picture; only called where it can be seen. */
  paint(context: CanvasRenderingContext2D, size: Size, theme: Theme): void;
  /** Write the words around it; called after each drawing, seen or not. */
  describe(): void;
}

export class Surface {
  readonly canvas: HTMLCanvasElement;
  readonly #drawing: Drawing;
  readonly #palette: Palette;
  readonly #resizes: ResizeObserver | null;
  #size: Size = { width: 0, height: 0, ratio: 1 };
  /** The frame that allows the next drawing; null if there was none since the last frame. */
  #frame: number | null = null;
  #wanted = false;
  #queued = false;
  #destroyed = false;
  #waiting: (() => void)[] = [];

  /**
   * @param host what the canvas fills; its size is followed
   * @param parent what the canvas is put into, `host` or something inside
   */
  constructor(host: HTMLElement, parent: HTMLElement, drawing: Drawing) {
    this.#drawing = drawing;
    this.canvas = element('canvas', { className: 'gs-Chart-canvas' });
    parent.append(this.canvas);
    this.#palette = new Palette(parent, () => this.request());
    this.#resizes =
      typeof ResizeObserver === 'undefined'
        ? null
        : new ResizeObserver(entries => this.#resized(entries[entries.length - 1].contentRect));
    this.#resizes?.observe(host);
  }

  /** Resolves when everything that was asked for so far is drawn. */
  get drawn(): Promise<void> {
    return this.#wanted ? new Promise(resolve => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** The size as it was last told; zero while the chart isn't shown. */
  get size(): Size {
    return this.#size;
  }

  /**
   * Draw once the code that runs now is through, if nothing was drawn in this frame, otherwise in the next one. So a
   * caller that changes data in a frame sees it in the same frame, and one that changes it often costs one drawing.
   */
  request(): void {
    this.#wanted = true;
    if (this.#frame === null && !this.#queued) {
      this.#queued = true;
      queueMicrotask(() => {
        this.#queued = false;
        this.#draw();
      });
    }
  }

  destroy(): void {
    this.#destroyed = true;
    this.#resizes?.disconnect();
    this.#palette.watch(false);
    if (this.#frame !== null) {
      cancelAnimationFrame(this.#frame);
    }
    this.#done();
  }

  #resized({ width, height }: DOMRectReadOnly): void {
    const shown = width > 0 && height > 0;
    // A chart that leaves the page gets size zero: from then on nothing outside of it may hold it.
    this.#palette.watch(shown);
    this.#size = { width, height, ratio: window.devicePixelRatio || 1 };
    if (shown) {
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      // At once, because a canvas that changes its size is empty until it is drawn.
      this.#wanted = true;
      this.#draw();
    }
  }

  #draw(): void {
    if (!this.#wanted || this.#destroyed) {
      return;
    }
    const { width, height } = this.#size;
    if (width > 0 && height > 0) {
      this.#paintNow();
      this.#frame ??= requestAnimationFrame(() => {
        this.#frame = null;
        this.#draw();
      });
    }
    this.#drawing.describe();
    this.#done();
  }

  #paintNow(): void {
    const { canvas } = this;
    const context = canvas.getContext('2d');
    if (!context) {
      return;
    }
    const { width, height } = this.#size;
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.#drawing.paint(context, { width, height, ratio }, this.#palette.theme);
  }

  #done(): void {
    this.#wanted = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach(resolve => resolve());
  }
}
