/** What the prediction of the output knows nothing of: without it, a number would promise more than it holds. */

import type { Options, Sensitivity } from '../types';

export type LeftOut = 'activations' | 'gptq' | 'equalize' | 'smooth' | 'biasCorrection';

/** What a prediction for `options` leaves out, as far as `measured`, the sensitivity, goes. */
export function leftOutOf(options: Options, measured: Sensitivity | null): LeftOut[] {
  const isLeftOut: Record<LeftOut, boolean> = {
    activations:
      measured !== null &&
      options.activations === 'int8' &&
      measured.options.activations !== 'int8',
    gptq: options.rounding === 'gptq',
    equalize: options.equalize,
    smooth: options.smooth,
    biasCorrection: options.bias_correction
  };
  return (Object.keys(isLeftOut) as LeftOut[]).filter(key => isLeftOut[key]);
}
