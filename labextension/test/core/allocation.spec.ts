import { describe, expect, it } from 'vitest';

import { ParetoCurve } from '../../src/panel/core/allocation';
import type { LayerChoices } from '../../src/panel/core/allocation';
import { fixtures, numbers } from './fixtures';

interface Setting {
  size: number;
  error: number;
}

function setting(choices: LayerChoices[], chosen: number[]): Setting {
  return chosen.reduce(
    ({ size, error }, choice, layer) => ({
      size: size + choices[layer].sizes[choice],
      error: error + choices[layer].errors[choice]
    }),
    { size: 0, error: 0 }
  );
}

/** Every setting there is. */
function allSettings(choices: LayerChoices[]): Setting[] {
  return choices.reduce<Setting[]>(
    (settings, { sizes, errors }) =>
      settings.flatMap(({ size, error }) =>
        sizes.map((more, choice) => ({ size: size + more, error: error + errors[choice] }))
      ),
    [{ size: 0, error: 0 }]
  );
}

/** Layers as they are: more bits take more room and mostly err less, by about 6 dB a bit. */
function randomChoices(random: () => number): LayerChoices[] {
  return Array.from({ length: 1 + Math.floor(4 * random()) }, () => {
    const weights = Math.ceil(200 * random());
    const gain = 10 ** (3 * random());
    const bits = [2, 3, 4, 6, 8].slice(Math.floor(3 * random()));
    return {
      bits,
      sizes: bits.map(each => Math.ceil((weights * each) / 8)),
      errors: bits.map(each => gain * 4 ** -each * (0.3 + random()))
    };
  });
}

describe('the curve of settings', () => {
  const { allocation } = fixtures;
  const choices = allocation.choices.map(({ bits, sizes_bytes, error_powers }) => ({
    bits,
    sizes: sizes_bytes,
    errors: error_powers
  }));
  const curve = new ParetoCurve(choices, allocation.fixed_bytes);

  it('is Python\u2019s', () => {
    expect([...curve.sizes]).toEqual(allocation.sizes_bytes);
    allocation.errors.forEach((error, number) =>
      expect(curve.errors[number] / error).toBeCloseTo(1, 12)
    );
  });

  it('gives Python\u2019s bits within a size', () => {
    for (const { limit_bytes, bits } of allocation.within) {
      const chosen = curve.within(limit_bytes) ?? [];
      expect(
        chosen.map((choice, layer) => choices[layer].bits[choice]),
        String(limit_bytes)
      ).toEqual(bits);
    }
  });

  it('has each setting that is the best of its size by the line to the next, and stays within a size', () => {
    const random = numbers(7);
    for (let trial = 0; trial < 60; trial++) {
      const layers = randomChoices(random);
      const all = allSettings(layers);
      const found = new ParetoCurve(layers, 0);
      for (let number = 0; number < found.length; number++) {
        const own = setting(layers, found.chosen(number));
        expect(own.size).toBe(found.sizes[number]);
        expect(own.error).toBeCloseTo(found.errors[number], 9);
        const best = Math.min(...all.filter(it => it.size <= own.size).map(it => it.error));
        expect(own.error).toBeLessThanOrEqual(best * (1 + 1e-9));
      }
      const smallest = Math.min(...all.map(({ size }) => size));
      const limit = smallest + Math.floor(random() * 400);
      const within = setting(layers, found.within(limit) ?? []);
      expect(within.size).toBeLessThanOrEqual(limit);
      // Never worse than the curve, and nothing that would help fits any more.
      const number = found.sizes.findLastIndex(size => size <= limit);
      expect(within.error).toBeLessThanOrEqual(found.errors[number] * (1 + 1e-9));
      expect(found.within(smallest - 1)).toBeNull();
    }
  });

  it('has one setting without layers', () => {
    const empty = new ParetoCurve([], 12);
    expect([...empty.sizes]).toEqual([12]);
    expect(empty.within(12)).toEqual([]);
    expect(empty.within(11)).toBeNull();
  });
});
