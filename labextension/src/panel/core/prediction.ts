/** Predicts any setting in the browser: without it every move of a slider would wait for the kernel. */

import type {
  ClippingTable,
  Decibel,
  Network,
  Observer,
  Options,
  Refinement,
  Sensitivity,
  SketchBlock
} from '../types';
import { bitChoices, choosesBits, chosenBits } from './bitChoice';
import type { BitChoices, ChosenBits, OwnSetting } from './bitChoice';
import { ErrorModel, decibel } from './errorModel';
import { histogramOf } from './histogram';
import type { WeightHistogram } from './histogram';
import { LayerErrors } from './layerErrors';
import { bitsOf, isFormatGiven, isNarrow, overrideFinder, settingOf } from './settings';
import type { LayerSetting } from './settings';

export type { WeightHistogram };

/** What is predicted of one layer. */
export interface LayerPrediction {
  weights: string;
  /** null in float. */
  bits: number | null;
  granularity: string;
  symmetric: boolean;
  /** The share of the range that the grid covers. */
  clipping: number;
  /** No option changes its weight. */
  fixed: boolean;
  /** What its bits or its error follow from isn't there yet: a sketch, or a measurement. */
  pending: boolean;
  /** The mean squared error of the weight; null where it isn't known. */
  error: number | null;
  sqnrDb: Decibel;
  bytes: number;
  /** What it adds to the error power of the output; null where that isn't known. */
  contribution: number | null;
  /** That as a share of what all layers add. */
  share: number | null;
  /** Of its quantized input; null in float. */
  inputSqnrDb: Decibel;
}

export interface Prediction {
  layers: LayerPrediction[];
  weightBytes: number;
  /** How many times smaller than in float32. */
  compression: number;
  outputSqnrDb: Decibel;
  /** false: not even the smallest setting fits the budget. */
  withinBudget: boolean;
  /** The smallest and the largest size that a budget can choose. */
  smallestBytes: number;
  largestBytes: number;
}

/** What the kernel must sketch, and choose the clipping of, before some layers can be predicted. */
export interface SketchRequest {
  granularity: string;
  symmetric: boolean;
  narrow_range: boolean;
  observer: Observer;
  /** Numbers of layers in `Network.layers`. */
  layers: number[];
}

export class Predictor {
  readonly #network: Network;
  readonly #errors: LayerErrors;
  #model: ErrorModel | null = null;
  #refinement: Refinement | null = null;
  /** Of the options that were asked for last: several parts of a panel ask for the same. */
  #last: { options: Options; choices: BitChoices; chosen: ChosenBits | null } | null = null;

  constructor(network: Network) {
    this.#network = network;
    this.#errors = new LayerErrors(network.layers);
  }

  /** Read sketches; rejects if some are not what they should be, after all others were read. */
  async load(blocks: SketchBlock[]): Promise<void> {
    const loaded = await Promise.allSettled(blocks.map(block => this.#errors.load(block)));
    this.#last = null;
    const failed = loaded.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') {
      throw failed.reason;
    }
  }

  setClippings(tables: ClippingTable[]): void {
    this.#errors.setClippings(tables);
    this.#last = null;
  }

  setSensitivity(sensitivity: Sensitivity | null): void {
    this.#model = sensitivity === null ? null : new ErrorModel(sensitivity);
    this.#last = null;
  }

  setRefinement(refinement: Refinement | null): void {
    this.#refinement = refinement;
    this.#last = null;
  }

  predict(options: Options): Prediction {
    const own = this.#own(options);
    const { bits, fits } = this.#chosen(options, own);
    const layers = own.map((item, layer) => this.#layer(layer, item, bits[layer], options));
    const sum = layers.reduce((total, { contribution }) => total + (contribution ?? 0), 0);
    for (const layer of layers) {
      layer.share = layer.contribution === null ? null : sum > 0 ? layer.contribution / sum : 0;
    }
    const weightBytes = layers.reduce((total, { bytes }) => total + bytes, 0);
    return {
      layers,
      weightBytes,
      compression: weightBytes > 0 ? this.#network.float_bytes / weightBytes : 1,
      outputSqnrDb: this.#outputSqnrDb(layers, sum, options),
      withinBudget: fits,
      ...this.#extremes(own)
    };
  }

  /** The best settings of each size, by what was measured; none where nothing was. */
  curve(options: Options): { bytes: number[]; sqnrDb: number[] } {
    const found: { bytes: number[]; sqnrDb: number[] } = { bytes: [], sqnrDb: [] };
    const model = this.#model;
    const curve = this.#choices(options, this.#own(options))?.curve;
    if (model !== null && curve !== undefined) {
      curve.errors.forEach((error, number) => {
        const sqnrDb = decibel(model.errorPower(error, options.activations === 'int8'));
        if (sqnrDb !== 'inf' && sqnrDb !== null) {
          found.bytes.push(curve.sizes[number]);
          found.sqnrDb.push(sqnrDb);
        }
      });
    }
    return found;
  }

  /** What the kernel must be asked for: for each kind of grid, the layers whose sketch or clipping isn't there. */
  missing(options: Options): SketchRequest[] {
    const requests = new Map<string, SketchRequest>();
    this.#own(options).forEach(({ setting }, layer) => {
      if (this.#network.layers[layer].obstacle || this.#errors.isKnown(layer, setting)) {
        return;
      }
      const { granularity, symmetric } = setting;
      const narrow_range = isNarrow(setting);
      const observer = setting.clipping === null ? setting.observer : 'minmax';
      const key = `${granularity} ${symmetric} ${narrow_range} ${observer}`;
      const request = requests.get(key);
      if (request === undefined) {
        requests.set(key, { granularity, symmetric, narrow_range, observer, layers: [layer] });
      } else {
        request.layers.push(layer);
      }
    });
    return [...requests.values()];
  }

  /** How the weights of a layer lie on its grid; null without their sketch. */
  histogram(layer: number, options: Options): WeightHistogram | null {
    if (this.#network.layers[layer] === undefined) {
      return null;
    }
    const own = this.#own(options);
    const { setting } = own[layer];
    const sketch = this.#errors.sketch(layer, setting);
    if (sketch === null) {
      return null;
    }
    const { bits } = this.#chosen(options, own);
    const { weights, clipping } = this.#layer(layer, own[layer], bits[layer], options);
    return histogramOf(sketch, { ...setting, weights }, clipping);
  }

  #own(options: Options): OwnSetting[] {
    const find = overrideFinder(options);
    return this.#network.layers.map(layer => ({
      setting: settingOf(options, layer, find),
      isGiven: isFormatGiven(options, layer, find)
    }));
  }

  #choices(options: Options, own: OwnSetting[]): BitChoices | null {
    if (this.#model === null) {
      return null;
    }
    if (this.#last?.options !== options) {
      const choices = bitChoices(this.#network.layers, own, this.#errors, this.#model);
      this.#last = { options, choices, chosen: null };
    }
    return this.#last.choices;
  }

  #chosen(options: Options, own: OwnSetting[]): ChosenBits {
    const choices = choosesBits(options) ? this.#choices(options, own) : null;
    if (choices === null || this.#model === null || this.#last === null) {
      return { bits: [], fits: true };
    }
    const { float_bytes } = this.#network;
    this.#last.chosen ??= chosenBits(options, choices, float_bytes, this.#model, this.#refinement);
    return this.#last.chosen;
  }

  #layer(
    layer: number,
    { setting, isGiven }: OwnSetting,
    chosen: number | undefined,
    options: Options
  ): LayerPrediction {
    const { obstacle, float_bytes, activation } = this.#network.layers[layer];
    const fixed = obstacle !== '';
    const bits = fixed ? null : (chosen ?? bitsOf(setting.weights));
    const weights = bits !== null ? `int${bits}` : fixed ? 'float32' : setting.weights;
    const isChosen = !fixed && !isGiven && choosesBits(options);
    const error = isChosen && chosen === undefined ? null : this.#error(layer, setting, bits);
    const isInputQuantized = setting.activations === 'int8' && activation !== null;
    return {
      weights,
      bits,
      granularity: setting.granularity,
      symmetric: setting.symmetric,
      clipping: (bits === null ? null : this.#errors.clipping(layer, setting, bits)) ?? 1,
      fixed,
      pending: error === null,
      error,
      sqnrDb: this.#sqnrDb(layer, setting, error),
      bytes: fixed ? float_bytes : this.#errors.bytes(layer, setting, weights),
      contribution: error === null ? null : this.#contribution(layer, error),
      share: null,
      inputSqnrDb: isInputQuantized
        ? activation.observers[options.activation_observer].sqnr_db
        : null
    };
  }

  #error(layer: number, setting: LayerSetting, bits: number | null): number | null {
    return bits === null ? 0 : this.#errors.error(layer, setting, bits);
  }

  #sqnrDb(layer: number, setting: LayerSetting, error: number | null): Decibel {
    if (error === null || error === 0) {
      return error === null ? null : 'inf';
    }
    return 10 * Math.log10((this.#errors.power(layer, setting) ?? 0) / error);
  }

  #contribution(layer: number, error: number): number | null {
    return error === 0 ? 0 : (this.#model?.contribution(layer, error) ?? null);
  }

  #outputSqnrDb(layers: readonly LayerPrediction[], sum: number, options: Options): Decibel {
    if (this.#model === null || layers.some(({ contribution }) => contribution === null)) {
      return null;
    }
    return decibel(this.#model.errorPower(sum, options.activations === 'int8'));
  }

  #extremes(own: readonly OwnSetting[]): { smallestBytes: number; largestBytes: number } {
    let smallestBytes = 0;
    let largestBytes = 0;
    own.forEach(({ setting, isGiven }, layer) => {
      const { obstacle, float_bytes } = this.#network.layers[layer];
      if (obstacle || isGiven) {
        const bytes = obstacle ? float_bytes : this.#errors.bytes(layer, setting, setting.weights);
        smallestBytes += bytes;
        largestBytes += bytes;
      } else {
        const sizes = this.#errors.sizes(layer, setting);
        smallestBytes += Math.min(...sizes);
        largestBytes += Math.max(...sizes);
      }
    });
    return { smallestBytes, largestBytes };
  }
}
