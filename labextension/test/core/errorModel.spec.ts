import { describe, expect, it } from 'vitest';

import { ErrorModel, decibel } from '../../src/panel/core/errorModel';
import { DEFAULTS } from '../../src/panel/core/settings';
import type { Sensitivity } from '../../src/panel/types';
import { fixtures } from './fixtures';

function modelOf(sensitivity: Partial<Sensitivity>): ErrorModel {
  return new ErrorModel({
    layers: [],
    ceiling: null,
    activation_error: 0,
    measurement: '',
    options: DEFAULTS,
    ...sensitivity
  });
}

describe('the error model', () => {
  const model = modelOf(fixtures.model);

  it('has Python\u2019s contributions', () => {
    for (const { layer, weight_error, contribution } of fixtures.contributions) {
      const found = model.contribution(layer, weight_error) ?? NaN;
      expect(Math.abs(found - contribution)).toBeLessThanOrEqual(1e-12 * contribution);
    }
  });

  it('adds them up to Python\u2019s error of the output', () => {
    for (const { bits, error, sqnr_db } of fixtures.predictions) {
      const sum = fixtures.model.layers.reduce(
        (total, { layer }) => total + (model.measuredAt(layer, bits) ?? NaN),
        0
      );
      expect(model.errorPower(sum, true) / error).toBeCloseTo(1, 10);
      expect(decibel(model.errorPower(sum, true))).toBeCloseTo(sqnr_db, 9);
      expect(model.errorPower(sum, false)).toBeCloseTo(error - fixtures.model.activation_error, 12);
    }
  });

  it('gives back at each measured error what was measured', () => {
    for (const { layer, weight_errors, measured } of fixtures.model.layers) {
      for (const [bits, output] of Object.entries(measured)) {
        const found = model.contribution(layer, weight_errors[bits]) ?? NaN;
        expect(Math.abs(found - output)).toBeLessThanOrEqual(1e-10 * output);
      }
    }
  });

  it('takes a layer without any effect as it is', () => {
    const flat = { layer: 0, weight_errors: { 2: 0.1, 8: 0.001 }, measured: { 2: 0.05, 8: 0 } };
    const found = modelOf({ layers: [flat] });
    expect(found.contribution(0, 0.1)).toBeCloseTo(0.05, 12);
    expect(found.contribution(0, 0.01)).toBeCloseTo(0.01 * 0.25, 12);
    expect(found.contribution(0, 1e-4)).toBe(0);
  });

  it('knows nothing of a layer that wasn\u2019t measured', () => {
    expect(model.contribution(99, 0.1)).toBeNull();
    expect(model.measuredAt(99, 4)).toBeNull();
  });

  it('writes no error as infinite', () => {
    expect(decibel(0)).toBe('inf');
    expect(decibel(0.001)).toBeCloseTo(30, 12);
  });
});
