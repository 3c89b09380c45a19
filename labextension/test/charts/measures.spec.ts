// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { announcementOf, numbersOf, summaryOf } from '../../src/charts/layersWords';
import { axisOf, extentOf, written } from '../../src/charts/measures';
import { filled, wordsOf } from '../../src/charts/words';
import { HOSTILE, layer } from './layers';

const words = wordsOf('en');
const LAYERS = [
  layer('conv1', { sqnr: 20, bytes: 2400, share: 0.5, bits: 4, range: [-0.25, 0.5] }),
  layer(HOSTILE, { sqnr: 'inf', bytes: 48_000, share: 0 }),
  layer('fc1', { sqnr: 31.25, bytes: 1_200_000, share: 0.5, bits: 8, range: [-1, 1] }),
  layer('fc2', {})
];

describe('a measure', () => {
  it('tells what it is known of', () => {
    expect(extentOf(LAYERS[0].value, 'range')).toEqual({ low: -0.25, high: 0.5, endless: false });
    expect(extentOf(LAYERS[1].value, 'sqnr')?.endless).toBe(true);
    for (const measure of ['sqnr', 'bytes', 'share', 'bits', 'range'] as const) {
      expect(extentOf(LAYERS[3].value, measure), measure).toBeNull();
    }
    expect(extentOf(null, 'sqnr')).toBeNull();
  });

  it('is written with its unit', () => {
    const texts = (['sqnr', 'bytes', 'share', 'bits', 'range'] as const).map(measure =>
      written(LAYERS[0].value, measure, words)
    );
    expect(texts).toEqual(['20.0 dB', '2.4 kB', '50.0 %', '4 bits', '-0.25 to 0.5']);
    expect(written(LAYERS[1].value, 'sqnr', words)).toBe('no error');
    expect(written(LAYERS[3].value, 'sqnr', words)).toBe('\u2013');
  });

  it('has an axis with room for what was measured', () => {
    const measured = { ...LAYERS[0], truth: { sqnr: -7 } };
    const axis = axisOf([measured, ...LAYERS], 'sqnr', words);
    expect([axis.scale.low, axis.scale.high, axis.base]).toEqual([-10, 40, 0]);
  });

  it('shows bytes on a logarithmic axis, from a round number', () => {
    const { scale, base, written: write } = axisOf(LAYERS, 'bytes', words);
    expect([scale.low, scale.high, base]).toEqual([1000, 1e7, 1000]);
    expect(scale.ticks.map(write)).toEqual(['1.0 kB', '10 kB', '100 kB', '1.0 MB', '10 MB']);
  });
});

describe('the words of layers', () => {
  it('name the lowest, the median and the highest', () => {
    expect(summaryOf(LAYERS, 'sqnr', 2, words)).toBe(
      `4 layers. Lowest: 20.0 dB (conv1). Median: 31.3 dB. Highest: no error (${HOSTILE}). 2 selected.`
    );
    expect(summaryOf([LAYERS[3]], 'sqnr', 0, words)).toBe('1 layers. None has a value yet.');
    expect(summaryOf(LAYERS, 'range', 0, words)).toContain('Narrowest: -0.25 to 0.5 (conv1)');
  });

  it('tell prediction and truth apart', () => {
    const measured = [{ ...LAYERS[0], truth: { sqnr: 19.5 } }];
    expect(announcementOf(measured, 0, { measure: 'sqnr', selected: true }, words)).toBe(
      'conv1, Conv2D, Predicted 20.0 dB, Measured 19.5 dB, selected, 1 of 1'
    );
    const view = { measure: 'sqnr' as const, order: [0], selected: [], language: 'en' as const };
    expect(numbersOf(measured, view, words)).toMatchObject({
      columns: [
        { label: 'Layer' },
        { label: 'Setting' },
        { label: 'Predicted' },
        { label: 'Measured' }
      ],
      rows: [['conv1', 'Conv2D', '20.0 dB', '19.5 dB']]
    });
  });

  it('are there in Chinese, with the same places for values', () => {
    const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const [key, text] of Object.entries(wordsOf('zh'))) {
      expect(places(text), key).toEqual(places(words[key as keyof typeof words]));
    }
  });

  it('leave values alone that look like places', () => {
    expect(filled('{a} {b} {c}', { a: '{b}', b: 1 })).toBe('{b} 1 {c}');
  });
});
