import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, it } from 'vitest';

import { predictAll } from '../../src/panel/core';
import { Predictor } from '../../src/panel/core/prediction';
import type { Prediction } from '../../src/panel/core/prediction';
import { DEFAULTS } from '../../src/panel/core/settings';
import type { Decibel, Options, PanelState } from '../../src/panel/types';

type Golden = Pick<
  PanelState,
  'network' | 'sketches' | 'clippings' | 'sensitivity' | 'refinement'
> & {
  cases: { name: string; options: Options; measured: Expected; unmeasured: Expected }[];
};

interface Expected {
  layers: Record<string, unknown>[];
  weight_bytes: number;
  compression: number;
  output_sqnr_db: Decibel;
  within_budget: boolean;
  smallest_bytes: number;
  largest_bytes: number;
}

const golden = JSON.parse(
  readFileSync(join(__dirname, '../fixtures/predictions.json'), 'utf8')
) as Golden;

const { network, sketches, clippings, sensitivity, refinement } = golden;

/** A prediction by the names that Python has. */
function inPython({ layers, ...all }: Prediction): Expected {
  return {
    layers: layers.map(({ sqnrDb, inputSqnrDb, ...layer }) => ({
      ...layer,
      sqnr_db: sqnrDb,
      input_sqnr_db: inputSqnrDb
    })),
    weight_bytes: all.weightBytes,
    compression: all.compression,
    output_sqnr_db: all.outputSqnrDb,
    within_budget: all.withinBudget,
    smallest_bytes: all.smallestBytes,
    largest_bytes: all.largestBytes
  };
}

/** Hold a prediction against Python's: numbers to a thousandth of a decibel, all else exactly. */
function expectSame(found: unknown, expected: unknown, where: string): void {
  if (typeof expected === 'number' && typeof found === 'number' && !Number.isInteger(expected)) {
    const isDecibel = where.endsWith('_db');
    const off = isDecibel ? found - expected : 10 * Math.log10(found / expected);
    expect(Math.abs(off), `${where}: ${found} instead of ${expected}`).toBeLessThan(1e-3);
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectSame((found as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  } else {
    expect(found, where).toBe(expected);
  }
}

describe('a prediction', () => {
  let predictor: Predictor;
  beforeAll(async () => {
    predictor = new Predictor(network);
    await predictor.load(sketches);
    predictor.setClippings(clippings);
  });

  for (const { name, options, measured, unmeasured } of golden.cases) {
    it(`is Python\u2019s: ${name}`, () => {
      predictor.setRefinement(null);
      predictor.setSensitivity(sensitivity);
      expectSame(inPython(predictor.predict(options)), measured, 'measured');
      predictor.setSensitivity(null);
      expectSame(inPython(predictor.predict(options)), unmeasured, 'unmeasured');
    });
  }

  it('asks for nothing that is there', () => {
    for (const { options } of golden.cases) {
      expect(predictor.missing(options)).toEqual([]);
    }
  });
});

describe('a predictor', () => {
  const options = (patch: Partial<Options>): Options => ({ ...DEFAULTS, ...patch });
  const all = network.layers.map((_, layer) => layer);

  async function loaded(patch: Partial<Golden> = {}): Promise<Predictor> {
    const predictor = new Predictor(patch.network ?? network);
    await predictor.load(sketches);
    predictor.setClippings(clippings);
    predictor.setSensitivity(sensitivity);
    return predictor;
  }

  it('leaves what has no sketch pending, and asks for it by kind of grid', () => {
    const predictor = new Predictor(network);
    predictor.setSensitivity(sensitivity);
    const [first, second] = network.layers;
    const asked = options({
      weights: 'int4',
      weight_observer: 'mse',
      layers: {
        [first.name]: { granularity: 'group:32', symmetric: false },
        [second.name]: { clipping: 0.5 }
      }
    });
    const prediction = predictor.predict(asked);
    expect(prediction.layers[0]).toMatchObject({ pending: true, error: null, sqnrDb: null });
    expect(prediction.layers[0].bytes).toBeGreaterThan(0);
    expect(prediction.outputSqnrDb).toBeNull();
    const channel = { granularity: 'channel', symmetric: true, narrow_range: true };
    expect(predictor.missing(asked)).toEqual([
      {
        granularity: 'group:32',
        symmetric: false,
        narrow_range: false,
        observer: 'mse',
        layers: [0]
      },
      { ...channel, observer: 'minmax', layers: [1] },
      { ...channel, observer: 'mse', layers: all.slice(2) }
    ]);
  });

  it('still divides a budget by what was measured before its sketches are there', () => {
    const predictor = new Predictor(network);
    predictor.setSensitivity(sensitivity);
    const prediction = predictor.predict(options({ budget: '6x' }));
    expect(prediction.withinBudget).toBe(true);
    expect(prediction.weightBytes).toBeLessThanOrEqual(network.float_bytes / 6);
    expect(prediction.layers.every(({ bits, pending }) => bits !== null && pending)).toBe(true);
  });

  it('takes the bits of an exact search for the very options, and no others', async () => {
    const predictor = await loaded();
    const swept = predictor.predict(refinement?.options ?? DEFAULTS);
    predictor.setRefinement(refinement);
    const refined = predictor.predict(refinement?.options ?? DEFAULTS);
    expect(refined.layers.map(({ bits }) => bits)).toEqual(Object.values(refinement?.bits ?? {}));
    expect(refined.weightBytes).toBe(refinement?.size_bytes);
    expect(refined.outputSqnrDb).toBeCloseTo(Number(refinement?.sqnr_db), 3);
    expect(Number(refined.outputSqnrDb)).toBeGreaterThanOrEqual(Number(swept.outputSqnrDb));
    const other = predictor.predict(options({ budget: '4x' }));
    expect(other.layers.map(({ bits }) => bits)).not.toEqual(refined.layers.map(it => it.bits));
  });

  it('keeps a layer with an obstacle as it is', async () => {
    const [first, ...others] = network.layers;
    const kept = { ...first, obstacle: 'it holds NaN', float_bytes: 123 };
    const predictor = await loaded({ network: { ...network, layers: [kept, ...others] } });
    for (const asked of [options({ weights: 'int2' }), options({ budget: '8x' })]) {
      const { layers } = predictor.predict(asked);
      expect(layers[0]).toMatchObject({ fixed: true, bits: null, bytes: 123, error: 0 });
      expect(layers[1].fixed).toBe(false);
    }
    expect(predictor.missing(options({ granularity: 'group:8' }))[0].layers).toEqual(all.slice(1));
  });

  it('keeps a weight in float whose layers don\u2019t agree', async () => {
    const [first, ...others] = network.layers;
    const shared = { ...first, names: [first.name, 'twin'] };
    const predictor = await loaded({ network: { ...network, layers: [shared, ...others] } });
    const weightsOf = (patch: Partial<Options>) =>
      predictor.predict(options(patch)).layers[0].weights;
    expect(weightsOf({ weights: 'int4' })).toBe('int4');
    expect(weightsOf({ weights: 'int4', layers: { twin: { weights: 'int8' } } })).toBe('float32');
    expect(weightsOf({ weights: 'int4', layers: { twin: { weights: 'float16' } } })).toBe(
      'float16'
    );
    const apart = { twin: { granularity: 'tensor' } };
    expect(weightsOf({ budget: '4x', layers: apart })).toBe('float32');
  });

  it('has a curve that rises from the smallest setting to the most exact', async () => {
    const predictor = await loaded();
    const asked = options({ weights: 'int4' });
    const { bytes, sqnrDb } = predictor.curve(asked);
    const { smallestBytes } = predictor.predict(asked);
    expect(bytes[0]).toBe(smallestBytes);
    expect([...bytes].sort((a, b) => a - b)).toEqual(bytes);
    expect([...sqnrDb].sort((a, b) => a - b)).toEqual(sqnrDb);
    const budget = predictor.predict(options({ budget: `${bytes[2]}B` }));
    expect(budget.outputSqnrDb).toBeCloseTo(sqnrDb[2], 6);
    predictor.setSensitivity(null);
    expect(predictor.curve(asked)).toEqual({ bytes: [], sqnrDb: [] });
  });

  it('says when not even the smallest setting fits, and shows that', async () => {
    const predictor = await loaded();
    const prediction = predictor.predict(options({ budget: '1000B' }));
    expect(prediction.withinBudget).toBe(false);
    expect(prediction.weightBytes).toBe(prediction.smallestBytes);
  });

  it('does not mind layers named like parts of the language', async () => {
    const [first, second, ...others] = network.layers;
    const name = '__proto__';
    const hostile = '<img src=x onerror=alert(1)>';
    const layers = [
      { ...first, name, names: [name] },
      { ...second, name: hostile, names: [hostile] },
      ...others
    ];
    const predictor = await loaded({ network: { ...network, layers } });
    const asked = JSON.parse(
      `{"__proto__": {"weights": "int3"}, "constructor": {"weights": "int2"}, "<img*": {"weights": "int5"}}`
    ) as Options['layers'];
    const found = predictor.predict(options({ weights: 'int8', layers: asked }));
    expect(found.layers.map(({ weights }) => weights).slice(0, 3)).toEqual([
      'int3',
      'int5',
      'int8'
    ]);
  });

  it('reads all good blocks where one is bad', async () => {
    const predictor = new Predictor(network);
    const bad = { ...sketches[0], data: 'AAAA' };
    await expect(predictor.load([bad, ...sketches])).rejects.toThrow();
    expect(predictor.predict(options({ weights: 'int4' })).layers[0].pending).toBe(false);
  });

  it('is the same in one call', async () => {
    const { options: asked, measured } = golden.cases[golden.cases.length - 1];
    const state = { ...golden, refinement: null } as unknown as PanelState;
    expectSame(inPython(await predictAll(state, asked)), measured, 'measured');
  });
});

describe('a histogram', () => {
  const name = network.layers[1].name;
  let predictor: Predictor;
  beforeAll(async () => {
    predictor = new Predictor(network);
    await predictor.load(sketches);
  });
  const found = (patch: Partial<Options>) => {
    const histogram = predictor.histogram(1, { ...DEFAULTS, ...patch });
    if (histogram === null) {
      throw new Error(`no histogram of ${name}`);
    }
    return histogram;
  };

  it('holds all values, within the reach of their blocks', () => {
    const { edges, counts } = found({});
    expect(edges).toHaveLength(counts.length + 1);
    expect([edges[0], edges.at(-1)]).toEqual([-1, 1]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(1, 6);
  });

  it('has no grid in float', () => {
    expect(found({})).toMatchObject({ grid: [], clipLow: -1, clipHigh: 1 });
  });

  it('has the grid of the setting', () => {
    const narrow = found({ weights: 'int3', clipping: 0.6 });
    expect(narrow.grid.map(value => Number(value.toFixed(9)))).toEqual([
      -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6
    ]);
    expect(narrow).toMatchObject({ clipLow: -0.6, clipHigh: expect.closeTo(0.6, 12) as number });
    expect(found({ weights: 'int3', narrow_range: false }).grid).toHaveLength(8);
  });

  it('has a grid with 0 on it for asymmetric blocks, as wide as their range', () => {
    const { grid, clipLow, clipHigh } = found({ weights: 'int4', symmetric: false });
    expect(grid).toHaveLength(16);
    expect(grid).toContain(0);
    expect(clipHigh - clipLow).toBeCloseTo(1, 12);
  });

  it('needs a sketch', () => {
    expect(predictor.histogram(1, { ...DEFAULTS, granularity: 'group:7' })).toBeNull();
    expect(predictor.histogram(99, DEFAULTS)).toBeNull();
  });
});
