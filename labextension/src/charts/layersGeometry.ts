/** Where the columns of a chart of layers lie: what is drawn, and which layer the mouse is on, come from the same numbers. */

import type { Box } from './plot';
import type { Size } from './surface';

/** How layers are named below their bars: across, slanted, upright, or by numbers, where there is no room for names. */
export type Naming = 'across' | 'slanted' | 'upright' | 'numbers';

export interface LayersGeometry {
  /** Where bars may be, without scrolling. */
  plot: Box;
  /** From one bar's start to the next one's. */
  pitch: number;
  bar: number;
  /** Device pixels per CSS pixel. */
  ratio: number;
  /** Of the whole chart, which scrolls where it is wider than its place. */
  width: number;
  naming: Naming;
}

const LEFT = 54;
const RIGHT = 12;
const TOP = 24;
const BELOW: Record<Naming, number> = { across: 24, slanted: 70, upright: 106, numbers: 24 };
/** Bars stand side by side down to this; below it, the chart scrolls instead, and its bars get room again. */
const NARROWEST_PITCH = 2;
const NARROWEST_WITH_GAP = 3;
const SCROLLING_PITCH = 4;
/** Between two names side by side. */
export const NAME_GAP = 8;
/** Columns so wide have room for enough of any name. */
const SHORTENING_PITCH = 110;
const WIDEST_PITCH = 160;
const WIDEST_BAR = 48;

/**
 * @param count how many layers
 * @param longestName the width of the longest name
 */
export function layersGeometry(size: Size, count: number, longestName: number): LayersGeometry {
  const room = Math.max(0, size.width - LEFT - RIGHT);
  const fitting = room / Math.max(1, count);
  const pitch = fitting < NARROWEST_PITCH ? SCROLLING_PITCH : snapped(fitting, size.ratio);
  const naming = namingOf(pitch, longestName);
  const plot = {
    left: LEFT,
    top: TOP,
    right: size.width - RIGHT,
    bottom: Math.max(TOP + 1, size.height - BELOW[naming])
  };
  return {
    plot,
    pitch,
    bar: barOf(pitch, size.ratio),
    ratio: size.ratio,
    width: Math.max(size.width, LEFT + RIGHT + count * pitch),
    naming
  };
}

/** The left end of a column, as far as the chart is scrolled by `scrolled`. */
export function columnLeft(geometry: LayersGeometry, column: number, scrolled: number): number {
  return geometry.plot.left + column * geometry.pitch - scrolled;
}

/** The column at `x`, or null beside all columns. */
export function columnAt(
  geometry: LayersGeometry,
  x: number,
  scrolled: number,
  count: number
): number | null {
  const column = Math.floor((x - geometry.plot.left + scrolled) / geometry.pitch);
  return x >= geometry.plot.left && column >= 0 && column < count ? column : null;
}

/** How far to scroll so that a column can be seen, from where it is scrolled now. */
export function scrollTo(
  { plot, pitch }: LayersGeometry,
  column: number,
  scrolled: number
): number {
  const room = plot.right - plot.left;
  const margin = Math.min(room / 4, 2 * pitch);
  const left = column * pitch;
  return Math.max(
    0,
    Math.min(Math.max(scrolled, left + pitch + margin - room), Math.max(0, left - margin))
  );
}

function namingOf(pitch: number, longestName: number): Naming {
  if (longestName <= pitch - NAME_GAP || pitch >= SHORTENING_PITCH) {
    return 'across';
  }
  return pitch >= 22 ? 'slanted' : pitch >= 13 ? 'upright' : 'numbers';
}

/**
 * In whole device pixels: otherwise some gaps are a pixel wider than others, which reads as a pattern. Where there are no
 * gaps, there is none.
 */
function snapped(fitting: number, ratio: number): number {
  const pitch = Math.min(WIDEST_PITCH, fitting);
  return pitch < NARROWEST_WITH_GAP ? pitch : Math.floor(pitch * ratio) / ratio;
}

function barOf(pitch: number, ratio: number): number {
  if (pitch < NARROWEST_WITH_GAP) {
    return pitch;
  }
  const gap = Math.max(1, pitch * 0.25);
  return Math.max(1, Math.floor(Math.min(WIDEST_BAR, pitch - gap) * ratio) / ratio);
}
