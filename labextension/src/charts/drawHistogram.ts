/** Draws a histogram with the grid that its values are rounded to: a pure function from data to canvas. */

import { MOST_GRID_LINES, binOf, clippedShare } from './histogram';
import { short } from './numbers';
import { Box, across, crisp, down, drawLevelAxis, drawUprightAxis } from './plot';
import { Scale, exactScale, linearScale, logScale } from './scale';
import type { Size } from './surface';
import type { Measured, TextWidths } from './text';
import type { Theme } from './theme';
import type { HistogramData } from './types';
import { Words, filled } from './words';

export interface HistogramPicture {
  data: HistogramData;
  logarithmic: boolean;
  hovered: number | null;
  words: Words;
}

/** Below this share of the fullest bin, a bin's height on a log scale says nothing more. */
const SMALLEST_SHARE = 1e-6;

export function histogramPlot(size: Size): Box {
  return { left: 54, top: 24, right: size.width - 12, bottom: Math.max(25, size.height - 34) };
}

/** The level axis, from the first edge to the last one, or as far as the grid reaches. */
export function histogramScale({ edges, grid }: HistogramData): Scale {
  const low = Math.min(edges[0], grid[0] ?? Infinity);
  const high = Math.max(edges[edges.length - 1], grid[grid.length - 1] ?? -Infinity);
  return exactScale(low, high, 7);
}

export function drawHistogram(
  context: CanvasRenderingContext2D,
  size: Size,
  theme: Theme,
  picture: HistogramPicture,
  widths: TextWidths
): void {
  const measured = widths.in(context, theme.font);
  const plot = histogramPlot(size);
  const level = histogramScale(picture.data);
  const total = picture.data.counts.reduce((sum, count) => sum + count, 0);
  const upright = uprightScale(picture, total);
  drawUprightAxis(context, theme, plot, {
    scale: upright,
    title: picture.words.shareOfValues,
    written: tick => `${short(100 * tick)} %`
  });
  drawClipped(context, theme, plot, level, picture.data, measured, picture.words);
  drawBins(context, theme, plot, level, upright, picture, total);
  drawGrid(context, theme, plot, level, picture.data.grid);
  drawLevelAxis(context, theme, plot, { scale: level, title: '', written: short });
  drawReading(context, theme, plot, picture, total);
}

/** The bin that the mouse is on: in the picture, so that the page below doesn't move with the mouse. */
function drawReading(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  { data, hovered, words }: HistogramPicture,
  total: number
): void {
  if (hovered !== null) {
    const [low, high, share] = binOf(data, hovered, total);
    context.fillStyle = theme.colours.text;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    context.fillText(`${filled(words.to, { low, high })}: ${share}`, plot.right, plot.top / 2 - 2);
  }
}

function uprightScale({ data, logarithmic }: HistogramPicture, total: number): Scale {
  const shares = data.counts.filter(count => count > 0).map(count => count / total);
  const most = Math.max(...shares);
  const least = Math.max(Math.min(...shares) / 2, most * SMALLEST_SHARE);
  return logarithmic ? logScale(least, most, 4) : linearScale(0, most, 4);
}

/** Bins beyond the grid's ends are rounded to its ends: a veil over that part, and a line where it starts. */
function drawClipped(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  level: Scale,
  data: HistogramData,
  measured: Measured,
  words: Words
): void {
  const { edges, clipLow, clipHigh } = data;
  const isNamed = clippedShare(data) > 0;
  const parts: [number, number, number][] = [];
  if (clipLow > edges[0]) {
    const x = across(plot, level, clipLow);
    parts.push([across(plot, level, edges[0]), x, x]);
  }
  if (clipHigh < edges[edges.length - 1]) {
    const x = across(plot, level, clipHigh);
    parts.push([x, across(plot, level, edges[edges.length - 1]), x]);
  }
  for (const [left, right, end] of parts) {
    context.fillStyle = theme.colours.hover;
    context.fillRect(left, plot.top, right - left, plot.bottom - plot.top);
    context.strokeStyle = theme.colours.clipped;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(end, plot.top);
    context.lineTo(end, plot.bottom);
    context.stroke();
    if (isNamed && right - left > measured(words.clipped) + 8) {
      context.fillStyle = theme.colours.text;
      context.textAlign = 'center';
      context.textBaseline = 'middle';
      context.fillText(words.clipped, (left + right) / 2, plot.top + 10);
    }
  }
}

/** Bins with no values stay empty, on a log scale too; the least full bin still has a pixel. */
function drawBins(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  level: Scale,
  upright: Scale,
  { data, hovered }: HistogramPicture,
  total: number
): void {
  const { edges, counts, clipLow, clipHigh } = data;
  for (const clipped of [false, true]) {
    context.fillStyle = clipped ? theme.colours.clipped : theme.colours.bar;
    context.beginPath();
    counts.forEach((count, bin) => {
      const middle = (edges[bin] + edges[bin + 1]) / 2;
      if (count > 0 && (middle < clipLow || middle > clipHigh) === clipped) {
        const left = Math.round(across(plot, level, edges[bin]));
        const right = Math.round(across(plot, level, edges[bin + 1]));
        const gap = right - left > 4 ? 1 : 0;
        const top = Math.min(plot.bottom - 1, down(plot, upright, count / total));
        context.rect(left, top, Math.max(1, right - left - gap), plot.bottom - top);
      }
    });
    context.fill();
  }
  if (hovered !== null) {
    const left = across(plot, level, edges[hovered]);
    context.fillStyle = theme.colours.hover;
    const width = across(plot, level, edges[hovered + 1]) - left;
    context.fillRect(left, plot.top, width, plot.bottom - plot.top);
  }
}

function drawGrid(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  level: Scale,
  grid: readonly number[]
): void {
  if (grid.length === 0) {
    return;
  }
  if (grid.length > MOST_GRID_LINES) {
    const left = across(plot, level, grid[0]);
    const right = across(plot, level, grid[grid.length - 1]);
    context.fillStyle = theme.colours.truth;
    context.fillRect(left, plot.bottom + 1, Math.max(1, right - left), 4);
    return;
  }
  context.strokeStyle = theme.colours.truth;
  context.lineWidth = 1;
  context.beginPath();
  for (const value of grid) {
    const x = crisp(across(plot, level, value));
    context.moveTo(x, plot.top);
    context.lineTo(x, plot.bottom + 5);
  }
  context.stroke();
}
