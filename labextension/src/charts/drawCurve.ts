/** Draws the output SQNR over the size of the weights: a pure function from data to canvas. */

import { Mark, marksOf, sweepOf } from './curve';
import { bytesApart, short } from './numbers';
import { Box, across, crisp, down, drawLevelAxis, drawUprightAxis } from './plot';
import { Scale, exactLogScale, linearScale } from './scale';
import type { Size } from './surface';
import type { Measured, TextWidths } from './text';
import type { Theme } from './theme';
import type { CurveData } from './types';
import type { Words } from './words';

export interface CurvePicture {
  data: CurveData;
  /** The size that the mouse points at. */
  hovered: number | null;
  words: Words;
}

export interface CurveAxes {
  plot: Box;
  level: Scale;
  upright: Scale;
}

const LABEL_ROOM = 150;
const HALF_LINE = 7;
const MARK_ROOM = 7;

/** Where everything has its place; null where there is nothing. */
export function curveAxes(size: Size, { data, words }: CurvePicture): CurveAxes | null {
  const points = [...sweepOf(data), ...marksOf(data, words)];
  if (points.length === 0) {
    return null;
  }
  const sizes = points.map(point => point.bytes);
  const values = points.map(point => point.sqnrDb);
  const plot = {
    left: 54,
    top: 24,
    right: size.width - 14,
    bottom: Math.max(25, size.height - 38)
  };
  const ticks = Math.max(2, Math.floor((plot.right - plot.left) / 80));
  return {
    plot,
    level: exactLogScale(Math.min(...sizes) / 1.06, Math.max(...sizes) * 1.06, ticks),
    upright: linearScale(Math.min(...values), Math.max(...values))
  };
}

export function drawCurve(
  context: CanvasRenderingContext2D,
  size: Size,
  theme: Theme,
  picture: CurvePicture,
  widths: TextWidths
): void {
  const measured = widths.in(context, theme.font);
  const axes = curveAxes(size, picture);
  if (!axes) {
    return;
  }
  const { plot, level, upright } = axes;
  const { words } = picture;
  drawUprightAxis(context, theme, plot, { scale: upright, title: words.curveAxis, written: short });
  drawLevelAxis(context, theme, plot, {
    scale: level,
    title: words.sizeAxis,
    written: bytesApart(level.ticks)
  });
  drawSweep(context, theme, axes, picture);
  if (picture.hovered !== null) {
    const x = crisp(across(plot, level, picture.hovered));
    context.strokeStyle = theme.colours.text;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, plot.top);
    context.lineTo(x, plot.bottom);
    context.stroke();
  }
  const marks = marksOf(picture.data, words);
  marks.forEach(mark => drawMark(context, theme, axes, mark));
  drawLabels(context, theme, axes, marks, sweepBoxes(axes, picture.data), widths, measured);
}

/** In steps: a size between two points of the sweep holds no more than the smaller one does. */
function drawSweep(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { plot, level, upright }: CurveAxes,
  { data }: CurvePicture
): void {
  context.strokeStyle = theme.colours.bar;
  context.lineWidth = 2;
  context.beginPath();
  let before = 0;
  sweepOf(data).forEach((point, index) => {
    const x = across(plot, level, point.bytes);
    const y = down(plot, upright, point.sqnrDb);
    if (index === 0) {
      context.moveTo(x, y);
    } else {
      context.lineTo(x, before);
      context.lineTo(x, y);
    }
    before = y;
  });
  context.stroke();
}

/** What the line of the sweep covers. */
function sweepBoxes({ plot, level, upright }: CurveAxes, data: CurveData): Box[] {
  const points = sweepOf(data).map(point => [
    across(plot, level, point.bytes),
    down(plot, upright, point.sqnrDb)
  ]);
  return points.slice(1).flatMap(([x, y], index) => {
    const [startX, startY] = points[index];
    return [
      box(startX, startY, x, startY, 1),
      box(x, Math.min(y, startY), x, Math.max(y, startY), 1)
    ];
  });
}

function box(left: number, top: number, right: number, bottom: number, margin: number): Box {
  return {
    left: left - margin,
    top: top - margin,
    right: right + margin,
    bottom: bottom + margin
  };
}

/** Each kind has a shape of its own, so that it can be told without its colour. */
function drawMark(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { plot, level, upright }: CurveAxes,
  mark: Mark
): void {
  const x = across(plot, level, mark.bytes);
  const y = down(plot, upright, mark.sqnrDb);
  const { colours } = theme;
  context.fillStyle =
    mark.kind === 'truth'
      ? colours.truth
      : mark.kind === 'now'
        ? colours.selected
        : colours.background;
  context.strokeStyle = mark.kind === 'uniform' ? colours.text : colours.background;
  context.lineWidth = mark.kind === 'uniform' ? 1.5 : 2;
  context.beginPath();
  if (mark.kind === 'now') {
    context.arc(x, y, 6, 0, 2 * Math.PI);
  } else if (mark.kind === 'uniform') {
    context.rect(x - 3.5, y - 3.5, 7, 7);
  } else {
    context.moveTo(x, y - 6);
    context.lineTo(x + 6, y);
    context.lineTo(x, y + 6);
    context.lineTo(x - 6, y);
    context.closePath();
  }
  context.fill();
  context.stroke();
}

/** The labels of marks, each where it covers no other one; one that finds no place is left to the table. */
function drawLabels(
  context: CanvasRenderingContext2D,
  theme: Theme,
  { plot, level, upright }: CurveAxes,
  marks: readonly Mark[],
  obstacles: readonly Box[],
  widths: TextWidths,
  measured: Measured
): void {
  const points = marks.map(mark => ({
    x: across(plot, level, mark.bytes),
    y: down(plot, upright, mark.sqnrDb)
  }));
  const labels = marks.map(mark => widths.fit(mark.label, LABEL_ROOM, measured));
  const places = placeLabels(plot, points, labels.map(measured), obstacles);
  context.fillStyle = theme.colours.text;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  places.forEach((place, index) => {
    if (place) {
      context.fillText(labels[index], place.left, (place.top + place.bottom) / 2);
    }
  });
}

/**
 * A place beside each point for a label that is so wide: below to the right, above to the left, ... Later points choose
 * first, because they are drawn on top.
 */
export function placeLabels(
  plot: Box,
  points: readonly { x: number; y: number }[],
  labels: readonly number[],
  obstacles: readonly Box[] = []
): (Box | null)[] {
  const around = ({ x, y }: { x: number; y: number }) => box(x, y, x, y, MARK_ROOM);
  const taken = [...obstacles, ...points.map(around)];
  const places: (Box | null)[] = points.map(() => null);
  for (let index = points.length - 1; index >= 0; index -= 1) {
    const { x, y } = points[index];
    const width = labels[index];
    const candidates = [
      [x + 8, y + 12],
      [x - 8 - width, y - 12],
      [x + 10, y],
      [x - 10 - width, y],
      [x - width / 2, y + 16],
      [x - width / 2, y - 16]
    ];
    for (const [left, middle] of candidates) {
      const place = {
        left,
        right: left + width,
        top: middle - HALF_LINE,
        bottom: middle + HALF_LINE
      };
      if (within(plot, place) && !taken.some(other => overlap(place, other))) {
        places[index] = place;
        taken.push(place);
        break;
      }
    }
  }
  return places;
}

function within(plot: Box, place: Box): boolean {
  return (
    place.left >= plot.left &&
    place.right <= plot.right &&
    place.top >= plot.top - 8 &&
    place.bottom <= plot.bottom
  );
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
