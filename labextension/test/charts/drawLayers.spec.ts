// @vitest-environment node
import { describe, expect, it } from 'vitest';

import type { ChartLayer, Measure } from '../../src/charts';
import { LayersPicture, drawLayers } from '../../src/charts/drawLayers';
import { columnAt, columnLeft, layersGeometry, scrollTo } from '../../src/charts/layersGeometry';
import { axisOf } from '../../src/charts/measures';
import { TextWidths } from '../../src/charts/text';
import { wordsOf } from '../../src/charts/words';
import { layer, manyLayers } from './layers';
import { Recording, SIZE, THEME } from './recording';

function draw(
  layers: ChartLayer[],
  more: Partial<LayersPicture> = {},
  measure: Measure = 'sqnr'
): { recording: Recording; picture: LayersPicture } {
  const recording = new Recording();
  const picture: LayersPicture = {
    layers,
    measure,
    axis: axisOf(layers, measure, wordsOf('en')),
    geometry: layersGeometry(SIZE, layers.length, 60),
    scrolled: 0,
    selected: new Set(),
    hovered: null,
    focused: null,
    dragged: null,
    ...more
  };
  drawLayers(recording.context, SIZE, THEME, picture, new TextWidths());
  return { recording, picture };
}

describe('the picture of layers', () => {
  it('has a bar as high as its number', () => {
    const { recording, picture } = draw([layer('a', { sqnr: 40 }), layer('b', { sqnr: 10 })]);
    const { top, bottom } = picture.geometry.plot;
    const heights = recording.of('rect', 'bar').map(({ values }) => values[3]);
    expect(heights).toEqual([bottom - top, (bottom - top) / 4]);
  });

  it('lets bars below zero hang from zero', () => {
    const { recording, picture } = draw([layer('a', { sqnr: 10 }), layer('b', { sqnr: -10 })]);
    const [above, below] = recording.of('rect', 'bar').map(({ values }) => values);
    const { top, bottom } = picture.geometry.plot;
    expect(above[1] + above[3]).toBeCloseTo((top + bottom) / 2, 9);
    expect([below[1], below[3]]).toEqual([above[1] + above[3], above[3]]);
  });

  it('spans a range from its low to its high', () => {
    const { recording, picture } = draw([layer('a', { range: [0.5, 1] })], {}, 'range');
    const [bar] = recording.of('rect', 'bar');
    const { top, bottom } = picture.geometry.plot;
    expect(bar.values[1]).toBeCloseTo(top, 9);
    expect(bar.values[3]).toBeCloseTo((bottom - top) / 2, 9);
  });

  it('has a pale bar and the sign of infinity where there is no error', () => {
    const { recording } = draw([layer('a', { sqnr: 'inf' }), layer('b', { sqnr: 10 })]);
    expect(recording.of('rect', 'bar').map(({ alpha }) => alpha)).toEqual([1, 0.3]);
    expect(recording.texts).toContain('\u221e');
  });

  it('marks what was measured at its own height', () => {
    const layers = [layer('a', { sqnr: 40 }, { truth: { sqnr: 20 } }), layer('b', { sqnr: 10 })];
    const { recording, picture } = draw(layers);
    const { top, bottom } = picture.geometry.plot;
    const marks = recording.of('rect', 'truth').map(({ values }) => values);
    expect(marks).toHaveLength(1);
    expect(marks[0][1] + marks[0][3] / 2).toBeCloseTo(Math.round((top + bottom) / 2), 9);
  });

  it('leaves out what names share before it cuts them', () => {
    const layers = Array.from({ length: 20 }, (_, number) =>
      layer(`features.${number}.layers.0`, { sqnr: 40 })
    );
    const { recording } = draw(layers, { geometry: layersGeometry(SIZE, 20, 120) });
    expect(recording.texts).toContain('\u20263.layers.0');
    expect(recording.texts).toContain('\u202613.layers.0');
  });

  it('tells selected and fixed layers by their colours, and draws nothing for the unknown', () => {
    const layers = [
      layer('a', { sqnr: 1 }),
      layer('b', { sqnr: 2 }, { muted: true }),
      layer('c', { sqnr: 3 }),
      layer('d', {})
    ];
    const { recording } = draw(layers, { selected: new Set([2]) });
    const bars = ['bar', 'muted', 'selected'].map(colour => recording.of('rect', colour).length);
    expect(bars).toEqual([1, 1, 1]);
  });

  it('writes names as they are', () => {
    const name = '<b>&amp;</b>';
    expect(draw([layer(name, { sqnr: 1 })]).recording.texts).toContain(name);
  });

  it('draws only the bars that can be seen', () => {
    const layers = manyLayers(1000);
    const { recording, picture } = draw(layers, { scrolled: 400 });
    const { plot, pitch } = picture.geometry;
    const bars = recording.of('rect', 'bar');
    expect(bars.length).toBe(Math.floor((plot.right - plot.left) / pitch) + 1);
    expect(Math.abs(bars[0].values[0] - plot.left)).toBeLessThanOrEqual(1);
  });
});

describe('the places of columns', () => {
  const geometry = (width: number, count: number, longest = 60) =>
    layersGeometry({ ...SIZE, width }, count, longest);

  it.each([5, 54, 320])('fit %i layers into a wide chart', count => {
    const { width, pitch, plot } = geometry(900, count);
    expect(width).toBe(900);
    expect(count * pitch).toBeLessThanOrEqual(plot.right - plot.left);
  });

  it('scroll, and get wider, where bars would be thinner than two pixels', () => {
    const { width, pitch, bar } = geometry(400, 320);
    expect(width).toBeGreaterThan(400);
    expect([pitch, bar]).toEqual([4, 3]);
  });

  it('are found again from the place of the mouse', () => {
    for (const scrolled of [0, 37, 500]) {
      const found = geometry(400, 320);
      for (const column of [0, 1, 159, 319]) {
        const x = columnLeft(found, column, scrolled) + 1;
        const expected = x < found.plot.left ? null : column;
        expect(columnAt(found, x, scrolled, 320)).toBe(expected);
      }
    }
    expect(columnAt(geometry(900, 5), 895, 0, 5)).toBeNull();
  });

  it('name layers as there is room', () => {
    const naming = [3, 12, 54, 320].map(count => geometry(900, count, 100).naming);
    expect(naming).toEqual(['across', 'slanted', 'upright', 'numbers']);
  });

  it('scroll no further than needed to show a column', () => {
    const found = geometry(400, 320);
    const room = found.plot.right - found.plot.left;
    expect(scrollTo(found, 0, 500)).toBe(0);
    expect(scrollTo(found, 10, 0)).toBe(0);
    const end = scrollTo(found, 319, 0);
    expect(319 * found.pitch - end).toBeLessThanOrEqual(room - found.pitch);
  });

  it('lie on whole pixels of the screen', () => {
    const { pitch, bar } = layersGeometry({ ...SIZE, ratio: 2 }, 54, 60);
    expect([pitch * 2, bar * 2].map(Number.isInteger)).toEqual([true, true]);
  });
});
