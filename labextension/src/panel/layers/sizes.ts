/** What every size could give: without it, nobody would know whether the present setting is a good one for its size. */

import type { Decibel, Options } from '../types';
import type { Predicting } from '../store';

export interface Sizes {
  bytes: number[];
  sqnrDb: number[];
  uniform: { bits: number; bytes: number; sqnrDb: Decibel }[];
}

export const NO_SIZES: Sizes = { bytes: [], sqnrDb: [], uniform: [] };

const BITS = [2, 3, 4, 5, 6, 7, 8];

/** The curve of allocations, and the same bits in all layers for comparison; overrides hold in both. */
export function sizesOf(predictor: Predicting, options: Options): Sizes {
  const chosen = { ...options, budget: null, max_drop: null };
  const { bytes, sqnrDb } = predictor.curve({ ...chosen, weights: 'float32' });
  if (bytes.length === 0) {
    return NO_SIZES;
  }
  const uniform = BITS.map(bits => {
    const predicted = predictor.predict({ ...chosen, weights: `int${bits}` });
    return { bits, bytes: predicted.weightBytes, sqnrDb: predicted.outputSqnrDb };
  });
  return { bytes, sqnrDb, uniform: uniform.filter(({ sqnrDb }) => sqnrDb !== null) };
}
