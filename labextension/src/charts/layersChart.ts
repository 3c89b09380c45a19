/** All layers side by side: without it, the one layer that spoils a network has to be found in a table of hundreds. */

import { element } from '../dom';
import { LayersPicture, drawLayers } from './drawLayers';
import { Frame } from './frame';
import { LayersGeometry, columnAt, layersGeometry, scrollTo } from './layersGeometry';
import { LayersMouse } from './layersMouse';
import { announcementOf, numbersOf, summaryOf, valuesOf } from './layersWords';
import { axisOf, magnitudeOf } from './measures';
import { Selection, Way, between, chosen } from './selection';
import type { Size } from './surface';
import { TextWidths } from './text';
import type { Theme } from './theme';
import type { ChartLayer, Language, LayersView } from './types';
import { filled, wordsOf } from './words';

export interface LayersListener {
  select(layers: number[]): void;
  hover(layer: number | null): void;
}

/** Columns that Page Up and Page Down pass. */
const PAGE = 10;
const STEPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowUp: -1,
  ArrowRight: 1,
  ArrowDown: 1,
  PageUp: -PAGE,
  PageDown: PAGE,
  Home: -Infinity,
  End: Infinity
};

export class LayersChart {
  readonly #on: LayersListener;
  readonly #frame: Frame;
  readonly #announcement = element('p', {
    className: 'gs-Chart-unseen',
    attributes: { 'aria-live': 'polite' }
  });
  readonly #widths = new TextWidths();

  #layers: ChartLayer[] = [];
  #view: LayersView;
  #anchor: number | null = null;
  #hovered: number | null = null;
  /** The layer of the keyboard. */
  #focused: number | null = null;
  #focusShown = false;
  /** The layers from which and to which the mouse is being dragged. */
  #dragged: [number, number] | null = null;
  #scrolled = 0;
  #geometry: LayersGeometry | null = null;
  /** Scroll to the focused layer when it is drawn next. */
  #reveal = false;

  constructor(host: HTMLElement, on: LayersListener, language: Language = 'en') {
    this.#on = on;
    this.#view = { measure: 'sqnr', order: [], selected: [], language };
    this.#frame = new Frame(host, 'gs-LayersChart', 'application', {
      paint: (context, size, theme) => this.#paint(context, size, theme),
      describe: () => this.#describe()
    });
    this.#frame.scroller.tabIndex = 0;
    this.#frame.root.append(this.#announcement);
    this.#listen();
    this.#describe();
  }

  /** Resolves when what was last given is drawn. */
  get drawn(): Promise<void> {
    return this.#frame.surface.drawn;
  }

  /** Show `layers`, drawn in the frame that runs now or, if that was drawn already, in the next one. */
  update(layers: ChartLayer[], view: LayersView): void {
    this.#layers = layers;
    this.#view = { ...view, order: view.order.filter(layer => layer in layers) };
    if (this.#focused !== null && !this.#view.order.includes(this.#focused)) {
      this.#focused = null;
    }
    this.#frame.surface.request();
  }

  destroy(): void {
    this.#frame.destroy();
  }

  get #shown(): ChartLayer[] {
    return this.#view.order.map(layer => this.#layers[layer]);
  }

  #paint(context: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    const shown = this.#shown;
    const { order, measure, selected, language } = this.#view;
    const measured = this.#widths.in(context, theme.font);
    // Hundreds of names have no room anyway.
    const longest =
      shown.length > 100 ? Infinity : Math.max(0, ...shown.map(l => measured(l.name)));
    const geometry = layersGeometry(size, shown.length, longest);
    this.#place(geometry, size);
    const column = new Map(order.map((layer, index) => [layer, index]));
    const columnOf = (layer: number | null | undefined) =>
      layer === null || layer === undefined ? null : (column.get(layer) ?? null);
    const picture: LayersPicture = {
      layers: shown,
      measure,
      axis: axisOf(shown, measure, wordsOf(language)),
      geometry,
      scrolled: this.#scrolled,
      selected: new Set(selected.flatMap(layer => columnOf(layer) ?? [])),
      hovered: columnOf(this.#hovered ?? this.#view.hovered),
      focused: this.#focusShown ? columnOf(this.#focused) : null,
      dragged: this.#draggedColumns(columnOf)
    };
    drawLayers(context, size, theme, picture, this.#widths);
  }

  /** Give the chart its width, and scroll where it has to: only where something changed, since both cost a layout. */
  #place(geometry: LayersGeometry, size: Size): void {
    if (geometry.width !== this.#geometry?.width || size.width === geometry.width) {
      const width = geometry.width > size.width ? `${geometry.width}px` : '100%';
      if (this.#frame.content.style.width !== width) {
        this.#frame.content.style.width = width;
      }
    }
    this.#geometry = geometry;
    let scrolled = Math.min(this.#scrolled, Math.max(0, geometry.width - size.width));
    if (this.#reveal && this.#focused !== null) {
      scrolled = scrollTo(geometry, this.#view.order.indexOf(this.#focused), scrolled);
    }
    this.#reveal = false;
    if (scrolled !== this.#scrolled) {
      this.#scrolled = scrolled;
      this.#frame.scroller.scrollLeft = scrolled;
    }
  }

  #draggedColumns(columnOf: (layer: number | null) => number | null): [number, number] | null {
    const [from, to] = (this.#dragged ?? [null, null]).map(columnOf);
    return from === null || to === null ? null : [Math.min(from, to), Math.max(from, to)];
  }

  #describe(): void {
    const { measure, selected, language, hovered } = this.#view;
    const words = wordsOf(language);
    const shown = this.#shown;
    const summary = summaryOf(shown, measure, selected.length, words);
    const name = filled(words.layersName, { measure: words[measure] });
    this.#frame.describe(name, `${summary} ${words.layersKeys}`);
    const pointed = this.#hovered ?? (this.#focusShown ? this.#focused : null) ?? hovered;
    const layer = typeof pointed === 'number' ? this.#layers[pointed] : undefined;
    if (layer) {
      this.#frame.read(layer.name, layer.detail, valuesOf(layer, measure, words));
    } else {
      this.#frame.read('', summary, '');
    }
    this.#frame.explain(this.#legend());
    this.#frame.table.offer(words.numbers, () => numbersOf(this.#shown, this.#view, words));
  }

  #legend(): [string, string][] {
    const { measure, language } = this.#view;
    const words = wordsOf(language);
    const measured = this.#shown.some(layer => magnitudeOf(layer.truth, measure) !== null);
    const muted = this.#shown.some(layer => layer.muted);
    const pair: [string, string][] = [
      ['bar', words.predicted],
      ['truth', words.measured]
    ];
    return [
      ...(measured ? pair : []),
      ...(muted ? [['muted', words.muted] as [string, string]] : [])
    ];
  }

  #listen(): void {
    new LayersMouse(this.#frame.surface.canvas, {
      layerAt: x => this.#layerAt(x),
      hover: layer => this.#hover(layer),
      choose: (layer, way) => this.#choose(layer, way),
      chooseRange: (from, to, adds) => this.#chooseRange(from, to, adds),
      drag: range => {
        this.#dragged = range;
        this.#frame.surface.request();
      }
    });
    this.#frame.scroller.addEventListener('keydown', event => this.#keyDown(event));
    this.#frame.scroller.addEventListener('focus', () => this.#focus(true));
    this.#frame.scroller.addEventListener('blur', () => this.#focus(false));
    this.#frame.scroller.addEventListener('scroll', () => {
      if (this.#scrolled !== this.#frame.scroller.scrollLeft) {
        this.#scrolled = this.#frame.scroller.scrollLeft;
        this.#frame.surface.request();
      }
    });
  }

  #layerAt(x: number): number | null {
    const { order } = this.#view;
    const column = this.#geometry && columnAt(this.#geometry, x, this.#scrolled, order.length);
    return column === null ? null : order[column];
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.altKey || this.#view.order.length === 0) {
      return;
    }
    const control = event.ctrlKey || event.metaKey;
    const step = STEPS[event.key];
    if (step !== undefined) {
      this.#step(step, event.shiftKey);
    } else if (event.key === ' ' && this.#focused !== null) {
      this.#choose(this.#focused, event.shiftKey ? 'range' : 'toggle');
    } else if (event.key === 'Enter' && this.#focused !== null) {
      this.#choose(this.#focused, 'only');
    } else if (event.key === 'a' && control) {
      this.#select({ selected: [...this.#view.order], anchor: this.#anchor });
    } else if (event.key === 'Escape' && this.#view.selected.length > 0) {
      this.#select({ selected: [], anchor: null });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.#announce();
  }

  #step(step: number, extends_: boolean): void {
    const { order } = this.#view;
    const from = this.#focused === null ? -1 : order.indexOf(this.#focused);
    const to = from < 0 && Number.isFinite(step) ? 0 : from + step;
    const before = this.#focused;
    this.#focused = order[Math.min(order.length - 1, Math.max(0, to))];
    this.#reveal = true;
    this.#focusShown = true;
    if (extends_) {
      this.#anchor ??= before;
      this.#choose(this.#focused, 'range');
    } else {
      this.#anchor = this.#focused;
    }
    this.#on.hover(this.#focused);
    this.#frame.surface.request();
  }

  #focus(has: boolean): void {
    // Only for the keyboard: a mouse shows by itself where it is.
    const before = this.#focusShown;
    this.#focusShown = has && this.#frame.scroller.matches(':focus-visible');
    if (this.#focusShown && this.#view.order.length > 0) {
      this.#focused ??=
        this.#view.selected.find(l => this.#view.order.includes(l)) ?? this.#view.order[0];
      this.#reveal = true;
      this.#announce();
    }
    if (before || this.#focusShown) {
      this.#on.hover(this.#focusShown ? this.#focused : null);
    }
    this.#frame.surface.request();
  }

  #announce(): void {
    const { order, measure, selected, language } = this.#view;
    if (this.#focused !== null) {
      const view = { measure, selected: selected.includes(this.#focused) };
      const column = order.indexOf(this.#focused);
      this.#announcement.textContent = announcementOf(this.#shown, column, view, wordsOf(language));
    }
  }

  #hover(layer: number | null): void {
    this.#hovered = layer;
    this.#on.hover(layer);
    this.#frame.surface.request();
  }

  #choose(layer: number, way: Way): void {
    this.#focused = layer;
    const selection = { selected: this.#view.selected, anchor: this.#anchor };
    this.#select(chosen(selection, this.#view.order, layer, way));
  }

  #chooseRange(from: number, to: number, adds: boolean): void {
    const range = between(this.#view.order, from, to);
    this.#focused = to;
    const before = adds ? this.#view.selected : [];
    this.#select({ selected: [...new Set([...before, ...range])], anchor: from });
  }

  /** Show the selection at once; whoever listens may answer with another one. */
  #select({ selected, anchor }: Selection): void {
    this.#anchor = anchor;
    this.#view = { ...this.#view, selected };
    this.#frame.surface.request();
    this.#on.select(selected);
  }
}
