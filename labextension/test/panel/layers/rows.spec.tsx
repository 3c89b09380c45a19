import { describe, expect, it } from 'vitest';

import { budgetText, largestRatio } from '../../../src/panel/layers/budget';
import { chartLayers } from '../../../src/panel/layers/chartLayers';
import { inputHistogram } from '../../../src/panel/layers/histograms';
import { decibelText, numberText, percentText, timesText } from '../../../src/panel/layers/numbers';
import { found, worstFirst } from '../../../src/panel/layers/ordering';
import { columnsOf, nextSort, rowOf, sorted } from '../../../src/panel/layers/tableRows';
import type { LayerPrediction } from '../../../src/panel/core/prediction';
import { DEFAULTS } from '../../../src/panel/core/settings';
import type { LayerResult } from '../../../src/panel/types';
import { HOSTILE, layerOf, MadeUpPredictor, networkOf, resultOf } from '../madeUp';

const NETWORK = networkOf([
  layerOf('body.conv', 'Conv2d', [6, 1, 5, 5]),
  layerOf('body.fc', 'Dense', [120, 400]),
  layerOf(HOSTILE, 'Dense', [10, 84])
]);

const TRUTH: LayerResult = {
  weights: 'int4',
  activations: 'float32',
  bytes: 90,
  sqnr_db: 15.5,
  input_sqnr_db: null,
  clipped_share: 0,
  error_share: 0.25,
  rmse_over_scale: 0.29,
  note: 'folded'
};

function predicted(changes: Partial<LayerPrediction>[] = []): LayerPrediction[] {
  const { layers } = new MadeUpPredictor(NETWORK).predict({ ...DEFAULTS, weights: 'int4' });
  return layers.map((layer, number) => ({ ...layer, ...changes[number] }));
}

describe('how numbers are written', () => {
  it.each([
    [38.24, '38.2 dB'],
    ['inf' as const, '\u221e dB'],
    [null, '\u2013']
  ])('%s decibel', (value, text) => expect(decibelText(value)).toBe(text));

  it.each([
    [7.93, '7.9\u00d7'],
    [128.4, '128\u00d7'],
    [Infinity, '\u2013']
  ])('%s times smaller', (value, text) => expect(timesText(value)).toBe(text));

  it.each([
    [null, '\u2013'],
    [0, '0 %'],
    [0.00001, '< 0.01 %'],
    [0.0004, '0.04 %'],
    [0.012, '1.2 %'],
    [0.53, '53 %']
  ])('a share of %s', (value, text) => expect(percentText(value)).toBe(text));

  it.each([
    [-0.08164, '-0.0816'],
    [12345, '12300'],
    [0.00004321, '4.32e-5'],
    [0, '0']
  ])('a weight of %s', (value, text) => expect(numberText(value)).toBe(text));
});

describe('the slider of the budget', () => {
  it('ends at a ratio that fits, in its own steps', () => {
    expect(largestRatio(246_000, 15_430)).toBeCloseTo(15.9, 9);
    expect(largestRatio(1000, 100)).toBeCloseTo(10, 9);
    expect(largestRatio(1000, 1200)).toBe(1);
  });

  it('writes what Python reads', () => {
    expect([6.2, 4, 6.199999999].map(budgetText)).toEqual(['6.2x', '4x', '6.2x']);
  });
});

describe('layers for the chart', () => {
  it('say what is predicted, and what was found beside it', () => {
    const result = resultOf({ layers: { 0: TRUTH } });
    const [first, second] = chartLayers(NETWORK, predicted([{ clipping: 0.8 }]), result);
    expect(first.detail).toBe('Conv2d \u00b7 int4 \u00b7 channel \u00b7 0.80');
    expect(first.value).toMatchObject({ bits: 4, bytes: 75, range: [-0.42, 0.51] });
    expect(first.truth).toMatchObject({ sqnr: 15.5, bytes: 90, share: 0.25, bits: 4 });
    expect(second.truth).toBeNull();
  });

  it('are muted where nothing can be set or is known', () => {
    const layers = chartLayers(NETWORK, predicted([{ fixed: true }, { pending: true }]), null);
    expect(layers.map(layer => layer.muted)).toEqual([true, true, false]);
  });
});

describe('the order of layers', () => {
  const order = (changes: Partial<LayerPrediction>[], measure: Parameters<typeof worstFirst>[2]) =>
    worstFirst(chartLayers(NETWORK, predicted(changes), null), [0, 1, 2], measure);

  it('has the lowest SQNR first, and what has no error or no value last', () => {
    expect(order([{ sqnrDb: 'inf' }, { sqnrDb: 30 }, { sqnrDb: 20 }], 'sqnr')).toEqual([2, 1, 0]);
    expect(order([{ sqnrDb: null }, { sqnrDb: 30 }, { sqnrDb: 20 }], 'sqnr')).toEqual([2, 1, 0]);
  });

  it('has the largest share and the largest size first', () => {
    expect(order([{ share: 0.1 }, { share: null }, { share: 0.6 }], 'share')).toEqual([2, 0, 1]);
    expect(order([{ bytes: 5 }, { bytes: 9 }, { bytes: 7 }], 'bytes')).toEqual([1, 2, 0]);
  });

  it('is that of the network among equals', () => {
    expect(order([{ bits: null }, { bits: 4 }, { bits: 4 }], 'bits')).toEqual([1, 2, 0]);
  });

  it('holds only what every word is found in', () => {
    expect(found(NETWORK.layers, '')).toEqual([0, 1, 2]);
    expect(found(NETWORK.layers, 'BODY dense')).toEqual([1]);
    expect(found(NETWORK.layers, 'onerror')).toEqual([2]);
    expect(found(NETWORK.layers, 'lstm')).toEqual([]);
  });
});

describe('the table', () => {
  it('has columns only for what there is', () => {
    const keys = (...is: [boolean, boolean, boolean]) => columnsOf(...is).map(({ key }) => key);
    expect(keys(false, false, false)).not.toContain('trueSqnr');
    expect(keys(true, true, true)).toEqual(
      expect.arrayContaining(['trueSqnr', 'inputSqnr', 'note'])
    );
  });

  it('sorts by numbers and not by their texts, unknown ones last either way', () => {
    const columns = columnsOf(false, false, false);
    const changes = [{ sqnrDb: 9.5 }, { sqnrDb: null }, { sqnrDb: 31 }] as const;
    const rows = NETWORK.layers.map((layer, number) =>
      rowOf(number, layer, predicted([...changes])[number], null, columns)
    );
    const column = columns.findIndex(({ key }) => key === 'sqnr');
    const by = (descending: boolean) =>
      sorted(rows, { column, descending }).map(({ layer }) => layer);
    expect(by(false)).toEqual([0, 2, 1]);
    expect(by(true)).toEqual([2, 0, 1]);
    expect(sorted(rows, null).map(({ layer }) => layer)).toEqual([0, 1, 2]);
  });

  it('goes up, down and back', () => {
    const once = nextSort(null, 3);
    const twice = nextSort(once, 3);
    expect([once, twice, nextSort(twice, 3), nextSort(twice, 1)]).toEqual([
      { column: 3, descending: false },
      { column: 3, descending: true },
      null,
      { column: 1, descending: false }
    ]);
  });

  it('tells why a layer stays as it is before what a conversion noted', () => {
    const columns = columnsOf(true, false, true);
    const fixed = { ...NETWORK.layers[0], obstacle: 'w is also read by Add' };
    const texts = (layer: typeof fixed) => rowOf(0, layer, predicted()[0], TRUTH, columns).texts;
    expect(texts(fixed).at(-1)).toBe('w is also read by Add');
    expect(texts(NETWORK.layers[0]).at(-1)).toBe('folded');
    expect(texts(NETWORK.layers[0])).toContain('15.5 dB');
  });
});

describe('the histogram of an input', () => {
  const activation = {
    low: -1,
    high: 3,
    counts: [1, 2, 3, 4],
    observers: {
      ...NETWORK.layers[0].activation!.observers,
      mse: { low: -0.5, high: 2.05, scale: 0.01, zero_point: 50, sqnr_db: 40, clipped_share: 0.1 }
    }
  };

  it('has the grid of its observer over the whole range', () => {
    const { edges, grid, clipLow, clipHigh } = inputHistogram(activation, 'mse');
    expect(edges).toEqual([-1, 0, 1, 2, 3]);
    expect([grid.length, grid[0], grid[50], grid[255]]).toEqual([256, -0.5, 0, 2.05]);
    expect([clipLow, clipHigh]).toEqual([-0.5, 2.05]);
  });

  it('has none in float', () => {
    expect(inputHistogram(activation, null)).toMatchObject({ grid: [], clipLow: -1, clipHigh: 3 });
  });
});
