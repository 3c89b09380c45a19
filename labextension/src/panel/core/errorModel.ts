/** What a weight's error costs the output: the model of `gsjupyter.quantization.sensitivity`. */

import type { Decibel, Sensitivity } from '../types';

/** What is known of one layer's errors: its gain, measured at some of them. */
class LayerCost {
  /** By the measured bits: the weight's error and the output's. */
  readonly #errors: Float64Array;
  readonly #gains: Float64Array;
  readonly #isLogarithmic: boolean;

  constructor(layer: Sensitivity['layers'][number]) {
    const known = Object.entries(layer.measured)
      .map(([bits, output]): [number, number] => [layer.weight_errors[bits] ?? 0, output])
      .filter(([error]) => error > 0)
      .map(([error, output]): [number, number] => [error, output / error])
      .sort(([a, x], [b, y]) => a - b || x - y);
    // A layer without any effect has no logarithm.
    this.#isLogarithmic = known.every(([, gain]) => gain > 0);
    this.#errors = Float64Array.from(known, ([error]) => Math.log(error));
    this.#gains = Float64Array.from(known, ([, gain]) =>
      this.#isLogarithmic ? Math.log(gain) : gain
    );
  }

  /** What the layer adds to the error power of the output at a mean squared error of its weight. */
  contributionAt(weightError: number): number {
    if (this.#errors.length === 0 || !(weightError > 0)) {
      return 0;
    }
    const found = interpolated(Math.log(weightError), this.#errors, this.#gains);
    return (this.#isLogarithmic ? Math.exp(found) : found) * weightError;
  }
}

/** The error of the output for any setting. */
export class ErrorModel {
  readonly #sensitivity: Sensitivity;
  readonly #costs: (LayerCost | undefined)[] = [];

  constructor(sensitivity: Sensitivity) {
    this.#sensitivity = sensitivity;
    for (const layer of sensitivity.layers) {
      this.#costs[layer.layer] = new LayerCost(layer);
    }
  }

  /** What a layer adds at an error of its weight; null if it wasn't measured. */
  contribution(layer: number, weightError: number): number | null {
    return this.#costs[layer]?.contributionAt(weightError) ?? null;
  }

  /** What a layer added at so many bits when it was measured; null if it wasn't. */
  measuredAt(layer: number, bits: number): number | null {
    const measured = this.#sensitivity.layers.find(item => item.layer === layer);
    const error = measured?.weight_errors[bits];
    return error === undefined ? null : this.contribution(layer, error);
  }

  /** The error power of the output, over its own, from the sum of contributions. */
  errorPower(errorSum: number, quantizesActivations: boolean): number {
    const { ceiling, activation_error } = this.#sensitivity;
    return saturated(errorSum, ceiling) + (quantizesActivations ? activation_error : 0);
  }
}

/** The error power that a sum of contributions gives, which a ceiling limits. */
function saturated(errorSum: number, ceiling: number | null): number {
  if (ceiling === null || errorSum === 0) {
    return errorSum;
  }
  return 1 / Math.hypot(1 / errorSum, 1 / ceiling);
}

/** The SQNR of an error power that is relative to the signal's. */
export function decibel(errorPower: number): Decibel {
  return errorPower > 0 ? -10 * Math.log10(errorPower) : 'inf';
}

/** The line through points at rising `places`, constant beyond the ends. */
function interpolated(at: number, places: Float64Array, values: Float64Array): number {
  const last = places.length - 1;
  if (at < places[0]) {
    return values[0];
  }
  if (at >= places[last]) {
    return values[last];
  }
  let left = 0;
  while (places[left + 1] <= at) {
    left++;
  }
  const slope = (values[left + 1] - values[left]) / (places[left + 1] - places[left]);
  return values[left] + slope * (at - places[left]);
}
