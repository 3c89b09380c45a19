/** What a curve of SQNR over size says beside its picture, in words and as a table. */

import type { Numbers } from './dataTable';
import { bytes as size, decibels } from './numbers';
import type { CurveData, CurvePoint } from './types';
import { Words, filled } from './words';

/** A point with a name, and a place on both axes. */
export interface Mark {
  kind: 'now' | 'uniform' | 'truth';
  label: string;
  /** In full, where there is room. */
  name: string;
  bytes: number;
  sqnrDb: number;
}

/** The points of the sweep, by size, without what no axis has a place for. */
export function sweepOf({ bytes, sqnrDb }: CurveData): { bytes: number; sqnrDb: number }[] {
  return bytes
    .map((value, index) => ({ bytes: value, sqnrDb: sqnrDb[index] }))
    .filter(point => point.bytes > 0 && Number.isFinite(point.sqnrDb))
    .sort((a, b) => a.bytes - b.bytes);
}

/** The single points; those that have no error, or none that is known, have no place in the picture. */
export function marksOf(data: CurveData, words: Words): Mark[] {
  const uniform = data.uniform.map(point => ({
    ...point,
    kind: 'uniform' as const,
    label: filled(words.bitsLabel, { bits: point.bits }),
    name: filled(words.uniform, { bits: point.bits })
  }));
  const truths = data.truths.map(point => ({
    ...point,
    kind: 'truth' as const,
    name: point.label
  }));
  const now = data.now
    ? [{ ...data.now, kind: 'now' as const, label: words.now, name: words.now }]
    : [];
  return [...uniform, ...truths, ...now].flatMap(({ kind, label, name, bytes, sqnrDb }) =>
    bytes > 0 && typeof sqnrDb === 'number' && Number.isFinite(sqnrDb)
      ? [{ kind, label, name, bytes, sqnrDb }]
      : []
  );
}

/** The best SQNR of the sweep that fits into `limit` bytes; null if nothing does. */
export function bestWithin(
  sweep: readonly { bytes: number; sqnrDb: number }[],
  limit: number
): { bytes: number; sqnrDb: number } | null {
  let best: { bytes: number; sqnrDb: number } | null = null;
  for (const point of sweep) {
    if (point.bytes <= limit && (best === null || point.sqnrDb > best.sqnrDb)) {
      best = point;
    }
  }
  return best;
}

export function summaryOf(data: CurveData, words: Words): string {
  const sweep = sweepOf(data);
  if (sweep.length === 0) {
    return words.curveEmpty;
  }
  const [first, last] = [sweep[0], sweep[sweep.length - 1]];
  const now = data.now ? filled(words.curveNow, written(data.now)) : '';
  return filled(words.curveSummary, {
    low: decibels(first.sqnrDb),
    smallest: size(first.bytes),
    high: decibels(last.sqnrDb),
    largest: size(last.bytes),
    now
  });
}

export function numbersOf(data: CurveData, words: Words): Numbers {
  const row = (name: string, point: CurvePoint) => [
    name,
    size(point.bytes),
    decibels(point.sqnrDb)
  ];
  return {
    caption: words.curve,
    columns: [
      { label: words.point, number: false },
      { label: words.sizeAxis, number: true },
      { label: words.curveAxis, number: true }
    ],
    rows: [
      ...(data.now ? [row(words.now, data.now)] : []),
      ...data.truths.map(point => row(point.label, point)),
      ...data.uniform.map(point => row(filled(words.uniform, { bits: point.bits }), point)),
      ...sweepOf(data).map(point => row(words.best, point))
    ]
  };
}

function written(point: CurvePoint): { sqnr: string; size: string } {
  return { sqnr: decibels(point.sqnrDb), size: size(point.bytes) };
}
