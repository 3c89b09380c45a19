/** What a histogram says beside its picture: how much of it is clipped, in words, and as a table. */

import type { Numbers } from './dataTable';
import { percent, short } from './numbers';
import type { HistogramData } from './types';
import { Words, filled } from './words';

/** A grid with more values than this is a band: its lines would be closer than the eye parts. */
export const MOST_GRID_LINES = 64;

/** The share of the counts that lies in bins beyond the ends of the grid, bins across an end by their part. */
export function clippedShare({ edges, counts, clipLow, clipHigh }: HistogramData): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const kept = counts.reduce((sum, count, bin) => {
    const width = edges[bin + 1] - edges[bin];
    const inside = Math.min(edges[bin + 1], clipHigh) - Math.max(edges[bin], clipLow);
    return sum + count * (width > 0 ? Math.min(1, Math.max(0, inside / width)) : 1);
  }, 0);
  return total > 0 ? Math.max(0, 1 - kept / total) : 0;
}

/** Whether there is anything to draw. */
export function isEmpty({ edges, counts }: HistogramData): boolean {
  return (
    counts.length === 0 || edges.length !== counts.length + 1 || !counts.some(count => count > 0)
  );
}

export function summaryOf(data: HistogramData, words: Words): string {
  if (isEmpty(data)) {
    return `${data.caption} ${words.histogramEmpty}`;
  }
  const { edges, counts, grid } = data;
  const peak = counts.indexOf(Math.max(...counts));
  const share = clippedShare(data);
  const sentence = filled(words.histogramSummary, {
    bins: counts.length,
    low: short(edges[0]),
    high: short(edges[edges.length - 1]),
    peak: short((edges[peak] + edges[peak + 1]) / 2),
    grid:
      grid.length > 0
        ? filled(words.gridSummary, {
            count: grid.length,
            low: short(grid[0]),
            high: short(grid[grid.length - 1])
          })
        : words.noGrid,
    clipped:
      share > 1e-9 ? filled(words.clippedSummary, { share: percent(share) }) : words.nothingClipped
  });
  return `${data.caption} ${sentence}`;
}

export function numbersOf(data: HistogramData, words: Words): Numbers {
  const total = data.counts.reduce((sum, count) => sum + count, 0) || 1;
  return {
    caption: data.caption || words.histogram,
    columns: [words.from, words.until, words.shareOfValues].map(label => ({ label, number: true })),
    rows: data.counts.map((_, bin) => binOf(data, bin, total))
  };
}

/** Where a bin starts and ends, and its share of all counts. */
export function binOf({ edges, counts }: HistogramData, bin: number, total: number): string[] {
  return [short(edges[bin]), short(edges[bin + 1]), percent(counts[bin] / total)];
}
