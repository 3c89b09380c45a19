/** What the mouse or a finger does on a chart of layers: point, click, or drag over several. */

import { Way, wayOf } from './selection';

export interface LayersMouseListener {
  /** The layer at `x`, or null beside all. */
  layerAt(x: number): number | null;
  hover(layer: number | null): void;
  choose(layer: number, way: Way): void;
  /** While the mouse is dragged; null once it isn't any more. */
  drag(range: [number, number] | null): void;
  chooseRange(from: number, to: number, adds: boolean): void;
}

/** A mouse that is pressed moves a little; further than this, it drags. */
const DRAG_PX = 4;

export class LayersMouse {
  readonly #canvas: HTMLCanvasElement;
  readonly #on: LayersMouseListener;
  #hovered: number | null = null;
  #pressed: { x: number; layer: number; way: Way } | null = null;
  /** The layer that a drag has come to. */
  #dragged: number | null = null;

  constructor(canvas: HTMLCanvasElement, on: LayersMouseListener) {
    this.#canvas = canvas;
    this.#on = on;
    canvas.addEventListener('pointermove', event => this.#moved(event));
    canvas.addEventListener('pointerleave', () => this.#hover(null));
    canvas.addEventListener('pointerdown', event => this.#down(event));
    canvas.addEventListener('pointerup', event => this.#up(event));
    canvas.addEventListener('pointercancel', () => this.#release());
  }

  #moved(event: PointerEvent): void {
    const layer = this.#on.layerAt(event.offsetX);
    this.#hover(layer);
    const pressed = this.#pressed;
    // A finger that moves scrolls.
    if (pressed && layer !== null && event.pointerType !== 'touch') {
      if (this.#dragged !== null || Math.abs(event.offsetX - pressed.x) > DRAG_PX) {
        this.#dragged = layer;
        this.#on.drag([pressed.layer, layer]);
      }
    }
  }

  #down(event: PointerEvent): void {
    const layer = this.#on.layerAt(event.offsetX);
    if (event.button !== 0 || layer === null) {
      return;
    }
    this.#pressed = { x: event.offsetX, layer, way: wayOf(event) };
    this.#dragged = null;
    if (event.pointerType !== 'touch') {
      // So that a drag that leaves the chart still ends.
      this.#canvas.setPointerCapture?.(event.pointerId);
    }
  }

  #up(event: PointerEvent): void {
    const [pressed, dragged] = [this.#pressed, this.#dragged];
    this.#release();
    if (pressed && dragged !== null) {
      this.#on.chooseRange(pressed.layer, dragged, pressed.way !== 'only');
    } else if (pressed) {
      this.#on.choose(pressed.layer, pressed.way);
    }
    if (event.pointerType === 'touch') {
      this.#hover(null);
    }
  }

  #release(): void {
    this.#pressed = null;
    this.#dragged = null;
    this.#on.drag(null);
  }

  #hover(layer: number | null): void {
    if (layer !== this.#hovered) {
      this.#hovered = layer;
      this.#on.hover(layer);
    }
  }
}
