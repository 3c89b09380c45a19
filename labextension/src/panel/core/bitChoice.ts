/**
 * Chooses the bits of each layer for a budget or an allowed loss: `gsjupyter.layer_gains` and `bit_choice` in the
 * browser.
 */

import type { Layer, Options, Refinement } from '../types';
import { ParetoCurve } from './allocation';
import type { LayerChoices } from './allocation';
import { parseBudget, parseMaxDrop } from './budget';
import type { ErrorModel } from './errorModel';
import { BITS } from './layerErrors';
import type { LayerErrors } from './layerErrors';
import { bitsOf, sameOptions } from './settings';
import type { LayerSetting } from './settings';

/** A layer's setting, and whether a budget leaves its format as it is. */
export interface OwnSetting {
  setting: LayerSetting;
  isGiven: boolean;
}

/** What can be chosen for the weights of a network. */
export interface BitChoices {
  /** Numbers of the layers that `curve` has, in its order. */
  layers: number[];
  choices: LayerChoices[];
  curve: ParetoCurve;
}

/** By layer: its bits; nothing where none are chosen. */
export interface ChosenBits {
  bits: (number | undefined)[];
  /** false: not even the smallest setting fits the budget. */
  fits: boolean;
}

/** Whether bits are chosen layer by layer. */
export function choosesBits(options: Options): boolean {
  return options.budget !== null || options.max_drop !== null;
}

/** The choices of all layers. */
export function bitChoices(
  network: readonly Layer[],
  own: readonly OwnSetting[],
  errors: LayerErrors,
  model: ErrorModel
): BitChoices {
  const layers: number[] = [];
  const choices: LayerChoices[] = [];
  let fixedBytes = 0;
  own.forEach(({ setting, isGiven }, layer) => {
    const given = isGiven ? bitsOf(setting.weights) : null;
    const { obstacle, float_bytes } = network[layer];
    if (obstacle || (isGiven && given === null)) {
      fixedBytes += obstacle ? float_bytes : errors.bytes(layer, setting, setting.weights);
      return;
    }
    const possible = given === null ? BITS : [given];
    const costs = possible.map(bits => {
      const error = errors.error(layer, setting, bits);
      // Without a sketch of its grid, so many bits cost what they did in the measurement.
      return error === null ? model.measuredAt(layer, bits) : model.contribution(layer, error);
    });
    layers.push(layer);
    choices.push(choicesOf(possible, errors.sizes(layer, setting), costs));
  });
  return { layers, choices, curve: new ParetoCurve(choices, fixedBytes) };
}

/** The bits that options give; those of the kernel's exact search, if it searched for just these options. */
export function chosenBits(
  options: Options,
  found: BitChoices,
  floatBytes: number,
  model: ErrorModel,
  refinement: Refinement | null
): ChosenBits {
  const { layers, choices, curve } = found;
  const bits: (number | undefined)[] = [];
  const refined = refinedBits(options, found, refinement);
  if (refined !== null) {
    layers.forEach((layer, row) => (bits[layer] = refined[row]));
    return { bits, fits: true };
  }
  if (options.budget === null && !isPredictable(options)) {
    return { bits, fits: true };
  }
  const chosen =
    options.budget === null
      ? goodEnough(options, curve, model)
      : curve.within(parseBudget(options.budget, floatBytes) ?? Infinity);
  (chosen ?? curve.chosen(0)).forEach((choice, row) => {
    bits[layers[row]] = choices[row].bits[choice];
  });
  return { bits, fits: chosen !== null };
}

/** What isn't known can't be weighed: such a layer keeps the most bits. */
function choicesOf(
  possible: readonly number[],
  sizes: readonly number[],
  costs: readonly (number | null)[]
): LayerChoices {
  const bits = costs.includes(null) ? possible.slice(-1) : possible;
  return {
    bits,
    sizes: bits.map(chosen => sizes[chosen - BITS[0]]),
    errors: bits.map((_, choice) => costs[choice] ?? 0)
  };
}

/** Whether the loss that is allowed can be predicted, which that of accuracy can't. */
function isPredictable(options: Options): boolean {
  const allowed = parseMaxDrop(options.max_drop ?? '');
  return allowed !== null && 'sqnrDb' in allowed;
}

/** The choices of the smallest setting that is predicted to lose no more; of the most exact one, if each loses more. */
function goodEnough(options: Options, curve: ParetoCurve, model: ErrorModel): number[] {
  const allowed = parseMaxDrop(options.max_drop ?? '');
  const most = allowed !== null && 'sqnrDb' in allowed ? 10 ** (-allowed.sqnrDb / 10) : 0;
  const isQuantized = options.activations === 'int8';
  const number = curve.errors.findIndex(error => model.errorPower(error, isQuantized) <= most);
  return curve.chosen(number < 0 ? curve.length - 1 : number);
}

function refinedBits(
  options: Options,
  { layers, choices }: BitChoices,
  refinement: Refinement | null
): number[] | null {
  if (refinement === null || !sameOptions(options, refinement.options)) {
    return null;
  }
  const bits = layers.map((layer, row) => refinement.bits[layer] ?? choices[row].bits.at(-1));
  return bits.every(chosen => BITS.some(possible => possible === chosen)) ? bits : null;
}
