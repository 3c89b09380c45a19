import { describe, expect, it } from 'vitest';

import { CurveChart, CurveData } from '../../src/charts';
import { bestWithin, marksOf, numbersOf, summaryOf, sweepOf } from '../../src/charts/curve';
import { CurvePicture, curveAxes, drawCurve, placeLabels } from '../../src/charts/drawCurve';
import { across, down } from '../../src/charts/plot';
import { TextWidths } from '../../src/charts/text';
import { wordsOf } from '../../src/charts/words';
import { FakeResizes, fakePage } from './page';
import { Recording, SIZE, THEME } from './recording';

fakePage();
const HOSTILE = '<b>&amp;</b>';
const words = wordsOf('en');
const DATA: CurveData = {
  bytes: [40_000, 10_000, 20_000],
  sqnrDb: [40, 10, 30],
  now: { bytes: 20_000, sqnrDb: 28 },
  uniform: [
    { bits: 2, bytes: 10_000, sqnrDb: 8 },
    { bits: 32, bytes: 160_000, sqnrDb: 'inf' }
  ],
  truths: [{ bytes: 20_500, sqnrDb: 27, label: HOSTILE }]
};

describe('the picture of a curve', () => {
  const picture: CurvePicture = { data: DATA, hovered: null, words };

  it('steps from size to size: between two points no more is reached than at the smaller', () => {
    const recording = new Recording();
    drawCurve(recording.context, SIZE, THEME, picture, new TextWidths());
    const { plot, level, upright } = curveAxes(SIZE, picture)!;
    const at = (bytes: number, db: number) => [across(plot, level, bytes), down(plot, upright, db)];
    const line = [...recording.of('moveTo', 'bar'), ...recording.of('lineTo', 'bar')];
    expect(line.map(({ values }) => values)).toEqual([
      at(10_000, 10),
      at(20_000, 10),
      at(20_000, 30),
      at(40_000, 30),
      at(40_000, 40)
    ]);
    const [now] = recording.of('arc', 'selected');
    expect(now.values.slice(0, 2)).toEqual(at(20_000, 28));
    expect(recording.of('rect', 'background')).toHaveLength(1);
    expect(recording.texts).toContain(HOSTILE);
  });

  it('tells the sizes of a narrow axis apart', () => {
    const data = { ...DATA, bytes: [10_900, 11_600], sqnrDb: [10, 30], now: null, uniform: [] };
    const recording = new Recording();
    const narrow = { ...picture, data: { ...data, truths: [] } };
    drawCurve(recording.context, SIZE, THEME, narrow, new TextWidths());
    const sizes = recording.texts.filter(text => /B$/.test(text));
    expect(sizes.length).toBeGreaterThan(3);
    expect(new Set(sizes).size).toBe(sizes.length);
    expect(sizes).toContain('11.0 kB');
  });

  it('places labels beside each other, inside the plot', () => {
    const plot = { left: 0, top: 0, right: 300, bottom: 200 };
    const points = [
      { x: 10, y: 60 },
      { x: 30, y: 90 },
      { x: 50, y: 92 },
      { x: 290, y: 40 }
    ];
    const places = placeLabels(plot, points, [50, 50, 50, 50]);
    const placed = places.filter(place => place !== null);
    expect(placed.length).toBeGreaterThan(2);
    expect(places[3]!.right).toBeLessThanOrEqual(300);
    for (const [index, a] of placed.entries()) {
      for (const b of placed.slice(index + 1)) {
        const apart =
          a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart).toBe(true);
      }
    }
  });

  it('is nothing where nothing was measured', () => {
    const nothing = { bytes: [], sqnrDb: [], now: null, uniform: [], truths: [] };
    expect(curveAxes(SIZE, { ...picture, data: nothing })).toBeNull();
    expect(summaryOf(nothing, words)).toBe('Nothing has been measured yet.');
  });
});

describe('what a curve says', () => {
  it('sorts by size and leaves out what has no place', () => {
    expect(sweepOf({ ...DATA, bytes: [0, ...DATA.bytes], sqnrDb: [1, ...DATA.sqnrDb] })).toEqual([
      { bytes: 10_000, sqnrDb: 10 },
      { bytes: 20_000, sqnrDb: 30 },
      { bytes: 40_000, sqnrDb: 40 }
    ]);
    expect(marksOf(DATA, words).map(({ label }) => label)).toEqual(['2 bits', HOSTILE, 'Now']);
  });

  it('finds what a size allows', () => {
    expect(bestWithin(sweepOf(DATA), 39_999)?.sqnrDb).toBe(30);
    expect(bestWithin(sweepOf(DATA), 9_999)).toBeNull();
  });

  it('has all of its points in words and as a table', () => {
    expect(summaryOf(DATA, words)).toBe(
      'From 10.0 dB at 10 kB to 40.0 dB at 40 kB. Now: 28.0 dB at 20 kB.'
    );
    expect(numbersOf(DATA, words).rows).toEqual([
      ['Now', '20 kB', '28.0 dB'],
      [HOSTILE, '21 kB', '27.0 dB'],
      ['2 bits everywhere', '10 kB', '8.0 dB'],
      ['32 bits everywhere', '160 kB', '\u221e dB'],
      ['Best for the size', '10 kB', '10.0 dB'],
      ['Best for the size', '20 kB', '30.0 dB'],
      ['Best for the size', '40 kB', '40.0 dB']
    ]);
  });

  it('shows what the size under the mouse allows', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    const chart = new CurveChart(host);
    chart.update(DATA);
    FakeResizes.tell(SIZE.width, SIZE.height);
    const { plot, level } = curveAxes(SIZE, { data: DATA, hovered: null, words })!;
    const event = new MouseEvent('pointermove');
    Object.defineProperty(event, 'offsetX', { value: across(plot, level, 30_000) });
    host.querySelector('canvas')!.dispatchEvent(event);
    await chart.drawn;
    expect(host.querySelector('.gs-Chart-readout')?.textContent).toContain('20 kB30.0 dB');
    chart.destroy();
    expect(FakeResizes.all.flatMap(({ observed }) => observed)).toEqual([]);
  });
});
