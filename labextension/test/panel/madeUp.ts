/** A panel's state without a kernel: LeNet, roughly, and a model that takes note of what is asked of it. */

import type { WidgetModel } from '../../src/panel/connection';
import type { LayerPrediction, Prediction, SketchRequest } from '../../src/panel/core/prediction';
import { bitsOf, DEFAULTS, effective } from '../../src/panel/core/settings';
import type { Predicting } from '../../src/panel/store';
import type { Layer, Network, Options, PanelState, Result } from '../../src/panel/types';

export const HOSTILE = '<img src=x onerror=alert(1)>';

const LENET: [string, string, number[]][] = [
  ['conv1', 'Conv2d', [6, 1, 5, 5]],
  ['conv2', 'Conv2d', [16, 6, 5, 5]],
  ['fc1', 'Dense', [120, 400]],
  ['fc2', 'Dense', [84, 120]],
  ['fc3', 'Dense', [10, 84]]
];

export function layerOf(name: string, operator: string, shape: number[]): Layer {
  const parameters = shape.reduce((one, other) => one * other, 1);
  const range = { low: 0, high: 3.1, scale: 0.012, zero_point: 0, sqnr_db: 39.2, clipped_share: 0 };
  return {
    name,
    names: [name],
    operator,
    shape,
    parameters,
    float_bytes: 4 * parameters,
    low: -0.42,
    high: 0.51,
    obstacle: '',
    weights: [{ shape, axis: 0 }],
    activation: {
      low: 0,
      high: 3.1,
      observers: { minmax: range, percentile: range, mse: range, entropy: range },
      counts: [4, 9, 3, 1]
    }
  };
}

export function networkOf(layers: Layer[], name = 'LeNet5'): Network {
  return {
    name,
    names: {
      source: 'net',
      inputs: 'x',
      ckpt: null,
      calibration: null,
      labels: null,
      output: null
    },
    inputs: [{ name: 'x', shape: [32, 1, 32, 32], dtype: 'float32' }],
    recognised: [],
    notes: [],
    float_bytes: layers.reduce((sum, layer) => sum + layer.float_bytes, 0),
    fixed_bytes: 0,
    layers
  };
}

export function stateOf(changes: Partial<PanelState> = {}): PanelState {
  return {
    network: networkOf(LENET.map(item => layerOf(...item))),
    options: { ...DEFAULTS },
    sketches: [],
    clippings: [],
    sensitivity: null,
    measuring_s: 12.4,
    refinement: null,
    code: '%gs_convert net x',
    task: {
      kind: 'none',
      state: 'idle',
      step: '',
      done: 0,
      total: null,
      cancelled_by: 'message',
      kernel_id: null
    },
    problem: null,
    results: [],
    benchmark: { subjects: [], targets: null, live: '', document: null, state: 'none' },
    exported: [],
    language: 'en',
    ...changes
  };
}

export function sensitivityOf(options: Options = DEFAULTS): PanelState['sensitivity'] {
  return { layers: [], ceiling: null, activation_error: 0, measurement: 'on 32 samples', options };
}

export function resultOf(changes: Partial<Result> = {}): Result {
  return {
    number: 1,
    options: { ...DEFAULTS, weights: 'int8' },
    code: '%gs_convert net x --weights int8',
    title: 'LeNet5: int8 weights',
    bound_to: null,
    size_bytes: 65300,
    weight_bytes: 62200,
    source_bytes: 247600,
    sqnr_db: 40.6,
    verification: 'SQNR 40.6 dB, cosine 0.99996 on 32 samples',
    predicted_db: 41.2,
    notes: [],
    layers: {},
    document: null,
    ...changes
  };
}

/** An anywidget model: it keeps what is set, and passes on what is sent. */
export class MadeUpModel implements WidgetModel {
  readonly values: Record<string, unknown>;
  readonly sent: Record<string, unknown>[] = [];
  comm_live = true;
  /** How often changes were saved. */
  saves = 0;
  readonly #callbacks = new Map<string, Set<(model?: unknown) => void>>();

  constructor(state: PanelState) {
    this.values = { ...state };
  }

  get(key: string): unknown {
    return this.values[key];
  }

  set(key: string, value: unknown): void {
    if (this.values[key] !== value) {
      this.values[key] = value;
      this.#callbacks.get(`change:${key}`)?.forEach(callback => callback(this));
    }
  }

  save_changes(): void {
    this.saves += 1;
  }

  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }

  on(event: string, callback: (model?: unknown) => void): void {
    this.#callbacks.set(event, (this.#callbacks.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: (model?: unknown) => void): void {
    this.#callbacks.get(event)?.delete(callback);
  }

  /** How many listen. */
  get listeners(): number {
    return [...this.#callbacks.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  /** Have the kernel's connection come or go. */
  setLive(live: boolean): void {
    this.comm_live = live;
    this.#callbacks.get('comm_live_update')?.forEach(callback => callback());
  }

  /** The commands that were sent, in their order. */
  get commands(): unknown[] {
    return this.sent.map(message => message.command);
  }
}

/** Predicts by rules of thumb: 6 dB a bit, and sizes without scales. */
export class MadeUpPredictor implements Predicting {
  readonly loaded: number[] = [];
  asks: SketchRequest[] = [];
  predictions = 0;
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  load(blocks: unknown[]): Promise<void> {
    this.loaded.push(blocks.length);
    return Promise.resolve();
  }

  setClippings(): void {}
  setSensitivity(): void {}
  setRefinement(): void {}

  predict(options: Options): Prediction {
    this.predictions += 1;
    const { float_bytes } = this.#network;
    const ratio = Number(/^([\d.]+)x$/.exec(options.budget ?? '')?.[1] ?? 0);
    const layers = this.#network.layers.map(layer => predicted(layer, options, ratio));
    const weightBytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
    const bits = (32 * weightBytes) / float_bytes;
    return {
      layers,
      weightBytes,
      compression: float_bytes / weightBytes,
      outputSqnrDb: bits > 31 ? 'inf' : 6.02 * bits - 7,
      withinBudget: weightBytes > float_bytes / 14,
      smallestBytes: float_bytes / 14.03,
      largestBytes: float_bytes / 3.94
    };
  }

  curve(): { bytes: number[]; sqnrDb: number[] } {
    return { bytes: [], sqnrDb: [] };
  }

  missing(): SketchRequest[] {
    return this.asks;
  }

  histogram(): null {
    return null;
  }
}

function predicted(layer: Layer, options: Options, ratio: number): LayerPrediction {
  const setting = effective(options, layer.name);
  const bits = ratio > 0 ? 32 / ratio : bitsOf(setting.weights);
  return {
    weights: setting.weights,
    bits,
    granularity: setting.granularity,
    symmetric: setting.symmetric,
    clipping: setting.clipping ?? (setting.observer === 'minmax' ? 1 : 0.93),
    fixed: false,
    pending: false,
    error: 0,
    sqnrDb: bits === null ? 'inf' : 6.02 * bits - 9,
    bytes: (layer.float_bytes * (bits ?? (setting.weights === 'float16' ? 16 : 32))) / 32,
    contribution: null,
    share: null,
    inputSqnrDb: setting.activations === 'int8' ? 39.2 : null
  };
}
