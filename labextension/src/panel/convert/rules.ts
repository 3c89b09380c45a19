/** What goes together: without it, people would set options that have nothing to act on, and learn so after Apply. */

import { bitsOf } from '../core/settings';
import type { Network, Options } from '../types';
import type { FormStore } from './form';

/** What the present options make possible. */
export interface Possible {
  /** Some weight is stored in integers. */
  integers: boolean;
  /** Bits are chosen layer by layer. */
  chosen: boolean;
  /** The input of some layer is quantized. */
  activations: boolean;
  /** The weight of some layer has one scale for its tensor. */
  tensor: boolean;
  /** There was something to calibrate with. */
  calibrated: boolean;
}

export function possibleWith(options: Options, network: Network): Possible {
  const overrides = Object.values(options.layers);
  const chosen = options.budget !== null || options.max_drop !== null;
  const isInteger = (weights: string | undefined) =>
    weights !== undefined && bitsOf(weights) !== null;
  return {
    chosen,
    integers:
      chosen || isInteger(options.weights) || overrides.some(item => isInteger(item.weights)),
    activations:
      options.activations !== 'float32' || overrides.some(item => item.activations === 'int8'),
    tensor:
      options.granularity === 'tensor' || overrides.some(item => item.granularity === 'tensor'),
    calibrated: network.layers.some(layer => layer.activation !== null)
  };
}

/** What went wrong with an option, for the place where it stands. */
export function problemOf(
  store: Pick<FormStore, 'problem'>,
  option: keyof Options
): string | undefined {
  const problem = store.problem.value;
  return problem !== null && blamed(problem.option) === option
    ? [problem.message, problem.advice].filter(part => part !== '').join(' ')
    : undefined;
}

/** The option in `layers['fc1']` or `weights`. */
export function blamed(option: string | null): string | null {
  return option === null ? null : (/^\w+/.exec(option)?.[0] ?? null);
}
