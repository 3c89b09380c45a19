import { describe, expect, it } from 'vitest';

import { boundedCosts, squaredError, unboundedCosts } from '../../src/panel/core/binErrors';
import { BINS, momentsOf } from '../../src/panel/core/moments';
import { numbers } from './fixtures';

const WIDTH = 2 / BINS;

/** Moments of values, each counted once. */
function momentsOfValues(values: number[]) {
  const counts = new Float32Array(BINS);
  const first = new Float64Array(BINS);
  const second = new Float64Array(BINS);
  for (const value of values) {
    const place = (value + 1) / WIDTH;
    const bin = Math.floor(place);
    counts[bin]++;
    first[bin] += place - bin;
    second[bin] += (place - bin) ** 2;
  }
  const mean = (bin: number) => first[bin] / (counts[bin] || 1);
  return momentsOf(counts, mean, bin =>
    Math.sqrt(Math.max(0, second[bin] / (counts[bin] || 1) - mean(bin) ** 2))
  );
}

function trueError(values: number[], step: number, lowest: number, highest: number): number {
  return values.reduce((sum, value) => {
    const nearest = Math.min(Math.max(Math.round(value / step), lowest), highest);
    return sum + (value - nearest * step) ** 2;
  }, 0);
}

describe('the squared error on a grid', () => {
  const random = numbers(1);
  const values = Array.from({ length: 100_000 }, () => 0.999 * (2 * random() - 1) ** 3);
  const moments = momentsOfValues(values);

  it.each([
    [1 / 127, -127, 127],
    [0.4 / 127, -127, 127],
    [0.02 / 127, -127, 127],
    [1 / 7, -8, 7],
    [0.6, -1, 1]
  ])('is that of the values: step %f', (step, lowest, highest) => {
    const found = squaredError(boundedCosts(step, lowest, highest), moments) * WIDTH * WIDTH;
    expect(found / trueError(values, step, lowest, highest)).toBeCloseTo(1, 2);
  });

  it.each([0.3, 0.01, 0.001, 0.00005])('is that of rounding without ends: step %f', step => {
    const found = squaredError(unboundedCosts(step), moments) * WIDTH * WIDTH;
    expect(found / trueError(values, step, -Infinity, Infinity)).toBeCloseTo(1, 1);
  });

  it('is nothing for values on the grid, few of them large', () => {
    const onGrid = [-1, 0.5, -0.25, ...Array.from({ length: 100_000 }, () => 1 / 128)];
    const { power } = momentsOfValues(onGrid);
    const found = squaredError(boundedCosts(1 / 128, -128, 127), momentsOfValues(onGrid));
    expect(Math.abs(found)).toBeLessThan(1e-14 * power);
  });
});
