/** What all drawings of two axes share: the frame, its ticks, and lines that are sharp. */

import type { Scale } from './scale';
import type { Theme } from './theme';

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A line one pixel wide is sharp between two pixels. */
export function crisp(position: number): number {
  return Math.round(position) + 0.5;
}

/** Where `value` lies on an upright axis. */
export function down(plot: Box, scale: Scale, value: number): number {
  return plot.bottom - scale.at(value) * (plot.bottom - plot.top);
}

/** Where `value` lies on a level axis. */
export function across(plot: Box, scale: Scale, value: number): number {
  return plot.left + scale.at(value) * (plot.right - plot.left);
}

/** The upright axis: its title above, a line through the plot at each tick, the ticks' values beside them. */
export function drawUprightAxis(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  axis: { scale: Scale; title: string; written(tick: number): string }
): void {
  const { left, right, top } = plot;
  context.fillStyle = theme.colours.text;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillText(axis.title, 6, top / 2 - 2);
  context.textAlign = 'right';
  context.strokeStyle = theme.colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (const tick of axis.scale.ticks) {
    const y = down(plot, axis.scale, tick);
    context.fillText(axis.written(tick), left - 6, y);
    context.moveTo(left, crisp(y));
    context.lineTo(right, crisp(y));
  }
  context.stroke();
}

/** The level axis: a short line and a value at each tick that has room, and its title at the right end. */
export function drawLevelAxis(
  context: CanvasRenderingContext2D,
  theme: Theme,
  plot: Box,
  axis: { scale: Scale; title: string; written(tick: number): string }
): void {
  const { left, right, bottom } = plot;
  context.fillStyle = theme.colours.text;
  context.strokeStyle = theme.colours.text;
  context.lineWidth = 1;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  context.beginPath();
  context.moveTo(left, crisp(bottom));
  context.lineTo(right, crisp(bottom));
  for (const tick of axis.scale.ticks) {
    const x = across(plot, axis.scale, tick);
    context.moveTo(crisp(x), bottom);
    context.lineTo(crisp(x), bottom + 4);
    context.fillText(axis.written(tick), x, bottom + 13);
  }
  context.stroke();
  context.textAlign = 'right';
  context.fillText(axis.title, right, bottom + 28);
}
