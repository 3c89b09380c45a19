import { describe, expect, it } from 'vitest';

import { HistogramChart, HistogramData } from '../../src/charts';
import { drawHistogram, histogramPlot } from '../../src/charts/drawHistogram';
import { clippedShare, summaryOf } from '../../src/charts/histogram';
import { TextWidths } from '../../src/charts/text';
import { wordsOf } from '../../src/charts/words';
import { HOSTILE } from './layers';
import { FakeResizes, fakePage } from './page';
import { Recording, SIZE, THEME } from './recording';

const page = fakePage();
const words = wordsOf('en');
const DATA: HistogramData = {
  edges: [-1, -0.5, 0, 0.5, 1],
  counts: [10, 0, 60, 30],
  grid: [-0.75, -0.25, 0.25, 0.75],
  clipLow: -0.75,
  clipHigh: 0.75,
  caption: HOSTILE
};

function draw(data: HistogramData, logarithmic = false): Recording {
  const recording = new Recording();
  const picture = { data, logarithmic, hovered: null, words };
  drawHistogram(recording.context, SIZE, THEME, picture, new TextWidths());
  return recording;
}

describe('the picture of a histogram', () => {
  const { left, right, top, bottom } = histogramPlot(SIZE);

  it.each([false, true])('leaves empty bins empty (log scale: %s)', logarithmic => {
    expect(draw(DATA, logarithmic).of('rect', 'bar')).toHaveLength(3);
  });

  it('is as high as the share of the counts', () => {
    const bars = draw({ ...DATA, counts: [0, 0, 60, 40] }).of('rect', 'bar');
    const shares = bars.map(({ values }) => values[3] / (bottom - top));
    expect(shares[0]).toBeCloseTo(1, 12);
    expect(shares[1]).toBeCloseTo(2 / 3, 12);
  });

  it('has the bins that are clipped in another colour, under a veil', () => {
    const recording = draw({ ...DATA, clipLow: -0.5, clipHigh: 0.5 });
    const clipped = recording.of('rect', 'clipped').map(({ values }) => values[0]);
    expect(clipped).toEqual([left, Math.round(left + (right - left) * 0.75)]);
    expect(recording.of('fillRect', 'hover')).toHaveLength(2);
    expect(recording.texts.filter(text => text === 'Clipped')).toHaveLength(2);
  });

  it('has a line for each value of a small grid', () => {
    const lines = draw(DATA).of('moveTo', 'truth');
    expect(lines.map(({ values }) => values[0])).toEqual(
      DATA.grid.map(value => Math.round(left + ((right - left) * (value + 1)) / 2) + 0.5)
    );
  });

  it('has a band for a large grid', () => {
    const grid = Array.from({ length: 255 }, (_, index) => (index - 127) / 254);
    const recording = draw({ ...DATA, grid });
    expect(recording.of('moveTo', 'truth')).toHaveLength(0);
    const [band] = recording.of('fillRect', 'truth');
    expect(band.values[0]).toBeCloseTo(left + (right - left) / 4, 9);
    expect(band.values[2]).toBeCloseTo((right - left) / 2, 9);
  });
});

describe('what a histogram says', () => {
  it('counts bins across an end by their part', () => {
    expect(clippedShare(DATA)).toBeCloseTo(0.05 + 0.15, 12);
    expect(clippedShare({ ...DATA, clipLow: -1, clipHigh: 1 })).toBe(0);
    expect(clippedShare({ ...DATA, counts: [0, 0, 0, 0] })).toBe(0);
  });

  it('has its bins, its grid and its clipping in words', () => {
    expect(summaryOf(DATA, words)).toBe(
      `${HOSTILE} 4 bins from -1 to 1, most values near 0.25. ` +
        'The grid has 4 values from -0.75 to 0.75. 20.0 % of the counts are clipped.'
    );
    const empty = summaryOf({ ...DATA, counts: [], edges: [] }, words);
    expect(empty).toBe(`${HOSTILE} No values.`);
  });
});

describe('HistogramChart', () => {
  it('shows its caption as text and nothing where there are no values', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    const chart = new HistogramChart(host);
    chart.update({ ...DATA, counts: [0, 0, 0, 0] });
    FakeResizes.tell(400, 190);
    await chart.drawn;
    expect(host.querySelector('img')).toBeNull();
    expect(host.querySelector('.gs-Chart-readout')?.textContent).toBe(`${HOSTILE}No values.`);
    expect(page.recordings[0].drawn).toEqual([]);
    chart.update(DATA);
    await page.frame();
    expect(page.recordings[0].of('rect').length).toBe(3);
    chart.destroy();
    expect(host.childElementCount).toBe(0);
  });

  it('counts on a log scale when asked', async () => {
    const host = document.createElement('div');
    document.body.append(host);
    const chart = new HistogramChart(host);
    chart.update({ ...DATA, counts: [1, 0, 1000, 0] });
    FakeResizes.tell(400, 190);
    const heights = () => page.recordings[0].of('rect').map(({ values }) => values[3]);
    const [low] = heights();
    const box = host.querySelector<HTMLInputElement>('input[type=checkbox]')!;
    box.click();
    await page.frame();
    expect(low).toBe(1);
    expect(heights()[0]).toBeGreaterThan(5);
  });
});
