// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { exactLogScale, exactScale, linearScale, logScale } from '../../src/charts/scale';

describe('linearScale', () => {
  it('ends on round values and holds both ends', () => {
    const scale = linearScale(-2.3, 37.9);
    expect(scale.ticks).toEqual([-10, 0, 10, 20, 30, 40]);
    expect([scale.low, scale.high]).toEqual([-10, 40]);
    expect(scale.at(15)).toBeCloseTo(0.5, 12);
    expect([scale.at(-100), scale.at(100)]).toEqual([0, 1]);
  });

  it('marks decimal fractions without dust', () => {
    expect(linearScale(0, 0.4).ticks).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
  });

  it('has room for a single value', () => {
    const { ticks, at } = linearScale(0, 0);
    expect(ticks.length).toBeGreaterThan(1);
    expect(at(0)).toBe(0);
  });
});

describe('exactScale', () => {
  it('ends where it is told and marks round values only', () => {
    const scale = exactScale(-0.53, 0.53);
    expect(scale.ticks).toEqual([-0.5, 0, 0.5]);
    expect(scale.at(0)).toBeCloseTo(0.5, 12);
    expect(scale.at(0.53)).toBe(1);
  });
});

describe('logarithmic scales', () => {
  it('give every power of ten the same room', () => {
    const scale = logScale(122, 607_000);
    expect(scale.ticks).toEqual([100, 1000, 10_000, 100_000, 1_000_000]);
    expect(scale.at(10_000)).toBeCloseTo(0.5, 12);
    expect(scale.at(0)).toBe(0);
  });

  it('mark a narrow axis with round values', () => {
    const scale = exactLogScale(4.7e6, 21e6, 10);
    expect(scale.ticks).toEqual([5e6, 6e6, 8e6, 10e6, 12e6, 15e6, 20e6]);
    expect(scale.at(Math.sqrt(4.7e6 * 21e6))).toBeCloseTo(0.5, 12);
  });

  it('mark an axis that holds no round step of a logarithm', () => {
    expect(exactLogScale(1.03e6, 1.17e6).ticks.length).toBeGreaterThan(2);
  });
});
