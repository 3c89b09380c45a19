/** Draws a chart of layers: a pure function from data to canvas, so that it can be tested without a browser. */

import { LayersGeometry, NAME_GAP, columnLeft } from './layersGeometry';
import { Axis, Extent, extentOf } from './measures';
import { Box, crisp, down, drawUprightAxis } from './plot';
import type { Size } from './surface';
import { sharedPrefix } from './text';
import type { Measured, TextWidths } from './text';
import type { Theme } from './theme';
import type { ChartLayer, Measure } from './types';

export interface LayersPicture {
  /** In the order of the columns. */
  layers: readonly ChartLayer[];
  measure: Measure;
  axis: Axis;
  geometry: LayersGeometry;
  scrolled: number;
  /** Columns. */
  selected: ReadonlySet<number>;
  hovered: number | null;
  /** The column of the keyboard, while the chart has the focus. */
  focused: number | null;
  /** The first and last column of what the mouse is being dragged over. */
  dragged: [number, number] | null;
}

interface Canvas {
  context: CanvasRenderingContext2D;
  size: Size;
  theme: Theme;
}

/** Bars at least so wide apart have room for the sign of infinity. */
const INFINITY_ROOM = 10;
const NUMBER_GAP = 46;
const SLANTED_ROOM = 86;
const UPRIGHT_ROOM = 96;

export function drawLayers(
  context: CanvasRenderingContext2D,
  size: Size,
  theme: Theme,
  picture: LayersPicture,
  widths: TextWidths
): void {
  const canvas = { context, size, theme };
  const measured = widths.in(context, theme.font);
  drawUprightAxis(context, theme, picture.geometry.plot, picture.axis);
  context.save();
  const { left: start, right } = picture.geometry.plot;
  // The frame around a column at the edge is a little wider than the column.
  clip(context, { left: start - 2, right: right + 2, top: 0, bottom: size.height });
  drawBands(canvas, picture);
  drawBars(canvas, picture);
  drawTruths(canvas, picture);
  drawFocus(canvas, picture);
  if (picture.geometry.naming === 'across') {
    drawNames(canvas, picture, widths, measured);
  }
  context.restore();
  drawBase(canvas, picture);
  if (picture.geometry.naming === 'numbers') {
    drawNumbers(canvas, picture);
  } else if (picture.geometry.naming !== 'across') {
    drawNames(canvas, picture, widths, measured);
  }
}

function drawBands({ context, theme }: Canvas, picture: LayersPicture): void {
  const { plot, pitch } = picture.geometry;
  const height = plot.bottom - plot.top;
  context.fillStyle = theme.colours.band;
  for (const column of visible(picture)) {
    if (picture.selected.has(column)) {
      context.fillRect(left(picture, column), plot.top, pitch, height + 4);
    }
  }
  if (picture.dragged) {
    const [first, last] = picture.dragged;
    context.fillRect(left(picture, first), plot.top, (last - first + 1) * pitch, height);
  }
  if (picture.hovered !== null) {
    context.fillStyle = theme.colours.hover;
    context.fillRect(left(picture, picture.hovered), plot.top, pitch, height);
  }
}

/** Bars of a colour go into one path: setting colours is what costs time with hundreds of them. */
function drawBars({ context, theme }: Canvas, picture: LayersPicture): void {
  const { pitch, plot } = picture.geometry;
  const kinds = { bar: [], muted: [], selected: [] } as Record<string, [number, Extent][]>;
  for (const column of visible(picture)) {
    const { value, muted } = picture.layers[column];
    const extent = extentOf(value, picture.measure);
    if (extent) {
      const kind = picture.selected.has(column) ? 'selected' : muted ? 'muted' : 'bar';
      kinds[kind].push([column, extent]);
    }
  }
  for (const kind of ['bar', 'muted', 'selected'] as const) {
    for (const endless of [false, true]) {
      context.fillStyle = theme.colours[kind];
      // A layer without error has a pale bar through the whole plot: there is no number where it could end.
      context.globalAlpha = endless ? 0.3 : 1;
      context.beginPath();
      for (const [column, extent] of kinds[kind]) {
        if (extent.endless === endless) {
          const [top, bottom] = endless ? [plot.top, base(picture)] : rows(picture, extent);
          const [start, width] = sides(picture, column);
          context.rect(start, top, width, Math.max(1, bottom - top));
        }
      }
      context.fill();
    }
  }
  context.globalAlpha = 1;
  const endless = Object.values(kinds)
    .flat()
    .filter(([, extent]) => extent.endless);
  if (pitch >= INFINITY_ROOM) {
    context.fillStyle = theme.colours.text;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const [column] of endless) {
      context.fillText('\u221e', left(picture, column) + pitch / 2, plot.top + 8);
    }
  }
}

/** What was measured: a mark across the bar, with a rim that parts it from a bar of any colour. */
function drawTruths({ context, theme }: Canvas, picture: LayersPicture): void {
  const { pitch, plot } = picture.geometry;
  const over = pitch >= 6 ? 2 : 0;
  const marks: [number, number, number][] = [];
  for (const column of visible(picture)) {
    const extent = extentOf(picture.layers[column].truth, picture.measure);
    if (extent) {
      const [start, width] = sides(picture, column);
      const x = start - over;
      const [top, bottom] = rows(picture, extent);
      marks.push([x, width, extent.endless ? plot.top : extent.high < 0 ? bottom : top]);
      if (picture.measure === 'range') {
        marks.push([x, width, bottom]);
      }
    }
  }
  for (const [colour, rim] of [['background', 1] as const, ['truth', 0] as const]) {
    if (rim === 0 || pitch >= 4) {
      context.fillStyle = theme.colours[colour];
      context.beginPath();
      for (const [x, width, y] of marks) {
        context.rect(x - rim, Math.round(y) - 1.5 - rim, width + 2 * over + 2 * rim, 3 + 2 * rim);
      }
      context.fill();
    }
  }
}

function drawFocus({ context, theme }: Canvas, picture: LayersPicture): void {
  if (picture.focused === null) {
    return;
  }
  const { plot, pitch } = picture.geometry;
  context.strokeStyle = theme.colours.focus;
  context.lineWidth = 2;
  context.strokeRect(
    left(picture, picture.focused) - 1,
    plot.top + 1,
    pitch + 2,
    plot.bottom - plot.top + 3
  );
}

function drawBase({ context, theme }: Canvas, picture: LayersPicture): void {
  const { plot } = picture.geometry;
  const y = crisp(base(picture));
  context.strokeStyle = theme.colours.text;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(plot.left, y);
  context.lineTo(plot.right, y);
  context.stroke();
}

function drawNames(
  { context, theme }: Canvas,
  picture: LayersPicture,
  widths: TextWidths,
  measured: Measured
): void {
  const { geometry, layers } = picture;
  const { plot, pitch, naming } = geometry;
  const room =
    naming === 'across' ? pitch - NAME_GAP : naming === 'slanted' ? SLANTED_ROOM : UPRIGHT_ROOM;
  const angle = naming === 'across' ? 0 : naming === 'slanted' ? -Math.PI / 4 : -Math.PI / 2;
  const prefix = sharedPrefix(layers.map(layer => layer.name));
  context.fillStyle = theme.colours.text;
  context.textBaseline = 'middle';
  context.textAlign = angle === 0 ? 'center' : 'right';
  for (const column of visible(picture)) {
    const x = left(picture, column) + pitch / 2;
    if (x >= plot.left && x <= plot.right) {
      // A slanted name must not leave the canvas at its left edge.
      const limit = naming === 'slanted' ? Math.min(room, x * Math.SQRT2 - 4) : room;
      context.save();
      context.translate(x, plot.bottom + (angle === 0 ? 14 : 8));
      context.rotate(angle);
      context.fillText(widths.fit(layers[column].name, limit, measured, prefix), 0, 0);
      context.restore();
    }
  }
}

/** Where names have no room, columns are counted. */
function drawNumbers({ context, theme }: Canvas, picture: LayersPicture): void {
  const { plot, pitch } = picture.geometry;
  const every =
    [1, 2, 5, 10, 20, 50, 100, 200, 500].find(step => step * pitch >= NUMBER_GAP) ?? 1000;
  context.fillStyle = theme.colours.text;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (const column of visible(picture)) {
    const x = left(picture, column) + pitch / 2;
    if ((column === 0 || (column + 1) % every === 0) && x >= plot.left && x <= plot.right) {
      context.fillText(String(column + 1), x, plot.bottom + 14);
    }
  }
}

/** The columns that can be seen. */
function* visible({ geometry, layers, scrolled }: LayersPicture): Generator<number> {
  const { plot, pitch } = geometry;
  const first = Math.max(0, Math.floor(scrolled / pitch));
  const last = Math.min(layers.length - 1, Math.floor((scrolled + plot.right - plot.left) / pitch));
  for (let column = first; column <= last; column += 1) {
    yield column;
  }
}

function left({ geometry, scrolled }: LayersPicture, column: number): number {
  return columnLeft(geometry, column, scrolled);
}

/** Left end and width of a bar, on whole device pixels. */
function sides(picture: LayersPicture, column: number): [number, number] {
  const { bar, pitch, ratio } = picture.geometry;
  const start = left(picture, column) + (pitch - bar) / 2;
  const [from, to] = [start, start + bar].map(x => Math.round(x * ratio) / ratio);
  return [from, to - from];
}

/** Top and bottom of a bar. */
function rows({ axis, geometry }: LayersPicture, { low, high }: Extent): [number, number] {
  const y = (value: number) => down(geometry.plot, axis.scale, value);
  const start = low === 0 ? axis.base : low;
  return high >= start ? [y(high), y(start)] : [y(start), y(high)];
}

function base({ axis, geometry }: LayersPicture): number {
  return down(geometry.plot, axis.scale, axis.base);
}

function clip(context: CanvasRenderingContext2D, { left, right, top, bottom }: Box): void {
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
}
