/** The golden numbers that Python wrote: without them both sides could be wrong by themselves. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Sensitivity, SketchBlock } from '../../src/panel/types';

export interface Fixtures {
  blocks: {
    block: SketchBlock;
    errors: {
      layer: number;
      bits: number;
      clipping: number;
      narrow_range: boolean;
      error: number;
      sqnr_db: number | null;
    }[];
  }[];
  sizes: {
    shape: number[];
    axis: number;
    granularity: string;
    symmetric: boolean;
    bits: number;
    bytes: number;
  }[];
  model: Pick<Sensitivity, 'layers' | 'ceiling' | 'activation_error'>;
  contributions: { layer: number; weight_error: number; contribution: number }[];
  predictions: { bits: number; error: number; sqnr_db: number }[];
  allocation: {
    choices: { bits: number[]; sizes_bytes: number[]; error_powers: number[] }[];
    fixed_bytes: number;
    sizes_bytes: number[];
    errors: number[];
    within: { limit_bytes: number; bits: number[]; size_bytes: number; error: number }[];
  };
}

export const fixtures = JSON.parse(
  readFileSync(join(__dirname, '../fixtures/sketches.json'), 'utf8')
) as Fixtures;

/** A generator of numbers from 0 to 1 that are the same each time. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
