/**
 * What Python and the browser tell each other about a panel: the same names on both sides.
 *
 * Everything here is JSON as it stands in traits and in saved notebooks; `panel/reading.ts` checks what comes from a file.
 */

import type { Cell } from '../document';

/** A number of decibel; "inf" without any error, null where it isn't known. */
export type Decibel = number | 'inf' | null;

/** `tensor`, `channel` or `group:N`. */
export type Granularity = string;

export type Observer = 'minmax' | 'percentile' | 'mse' | 'entropy';

/** The fields of gsjupyter's ConvertOptions that may differ from their defaults. */
export interface Options {
  weights: string;
  activations: string;
  granularity: Granularity;
  symmetric: boolean;
  narrow_range: boolean;
  weight_observer: Observer;
  activation_observer: Observer;
  /** The share of each range that weights keep, in place of what the observer chooses; null leaves it to the observer. */
  clipping: number | null;
  rounding: 'nearest' | 'gptq';
  equalize: boolean;
  smooth: boolean;
  bias_correction: boolean;
  /** By layer name or glob; a name goes before globs, an earlier glob before a later one. */
  layers: Record<string, Override>;
  budget: string | null;
  max_drop: string | null;
  simulate: boolean;
}

export interface Override {
  weights?: string;
  activations?: string;
  granularity?: Granularity;
  symmetric?: boolean;
  narrow_range?: boolean;
  observer?: Observer;
  clipping?: number;
}

/** The network that the panel was opened on; it never changes. */
export interface Network {
  name: string;
  /** What the user calls it, the example, the calibration data, ...: the names in copied code; null if they have none. */
  names: Record<'source' | 'inputs' | 'ckpt' | 'calibration' | 'labels' | 'output', string | null>;
  inputs: { name: string; shape: number[] | null; dtype: string }[];
  recognised: string[];
  notes: string[];
  /** What all weights of layers take in float32. */
  float_bytes: number;
  /** What of that belongs to weights that no option changes. */
  fixed_bytes: number;
  layers: Layer[];
}

/** Weights that have the same bits: one layer, or several that share a weight. In the order in which they run. */
export interface Layer {
  name: string;
  names: string[];
  operator: string;
  shape: number[];
  parameters: number;
  float_bytes: number;
  /** Smallest and largest weight. */
  low: number;
  high: number;
  /** Why no option changes its weight; empty if options do. */
  obstacle: string;
  /** Shapes and output channel axes of its weights, from which sizes follow. */
  weights: { shape: number[]; axis: number }[];
  /** What calibration saw of its input; null where there was nothing to run. */
  activation: Activation | null;
}

export interface Activation {
  low: number;
  high: number;
  /** The range in 8 bits, unsigned and asymmetric, that each observer chooses, and what it costs. */
  observers: Record<Observer, ActivationRange>;
  /** A histogram: counts between `low` and `high`, in bins of the same width. */
  counts: number[];
}

export interface ActivationRange {
  low: number;
  high: number;
  scale: number;
  zero_point: number;
  sqnr_db: Decibel;
  clipped_share: number;
}

/** Sketches of some layers' weights on one kind of grid; `data` is read by `panel/core/sketches.ts`. */
export interface SketchBlock {
  granularity: Granularity;
  symmetric: boolean;
  /** Numbers of layers in `Network.layers`, in the order of the data. */
  layers: number[];
  /** Deflated; a DataView where it comes from a kernel, base64 text where it comes from a file. */
  data: DataView | string;
}

/** What observers choose: for each layer of a kind of grid, the clipping at 2 to 8 bits. */
export interface ClippingTable {
  observer: Observer;
  granularity: Granularity;
  symmetric: boolean;
  narrow_range: boolean;
  /** By the layer's number in `Network.layers`: seven ratios, for 2, 3, ... 8 bits. */
  ratios: Record<string, number[]>;
}

/** What was measured of the output's error; see gsjupyter.quantization.sensitivity for the model. */
export interface Sensitivity {
  layers: {
    /** The layer's number in `Network.layers`. */
    layer: number;
    /** By bits: the weight's mean squared error at the settings of the measurement. */
    weight_errors: Record<string, number>;
    /** By bits: the output's error power with only this layer quantized. */
    measured: Record<string, number>;
  }[];
  /** The error power at which the output saturates; null if it doesn't. */
  ceiling: number | null;
  /** The error power that quantized activations make. */
  activation_error: number;
  /** How it was measured, in words. */
  measurement: string;
  /** The options that it was measured with. */
  options: Options;
}

/** What the kernel is doing for the panel. */
export interface Task {
  kind:
    | 'none'
    | 'open'
    | 'sketch'
    | 'measure'
    | 'refine'
    | 'apply'
    | 'export'
    | 'targets'
    | 'benchmark';
  state: 'idle' | 'waiting' | 'running' | 'done' | 'cancelled' | 'failed';
  /** What it does now, in words. */
  step: string;
  done: number;
  /** How many there are of what is done; null if that isn't known. */
  total: number | null;
  /** How Cancel reaches the work: by a message, or by an interrupt of the kernel that only the front end can send. */
  cancelled_by: 'message' | 'interrupt';
  kernel_id: string | null;
}

/** What went wrong, in words. */
export interface Problem {
  command: string;
  message: string;
  advice: string;
  /** The option that is to blame, if one is. */
  option: string | null;
}

/** What Apply found: the truth beside the prediction. */
export interface Result {
  /** Counts up with each. */
  number: number;
  options: Options;
  code: string;
  title: string;
  /** The name it is bound to in the notebook, if it is. */
  bound_to: string | null;
  size_bytes: number;
  weight_bytes: number;
  source_bytes: number;
  sqnr_db: Decibel;
  verification: string;
  /** The SQNR that was predicted for the output when Apply was pressed. */
  predicted_db: Decibel;
  notes: string[];
  /** By the layer's number in `Network.layers`. */
  layers: Record<string, LayerResult>;
  /** The report, as `reportView` shows it. */
  document: unknown;
}

export interface LayerResult {
  weights: string;
  activations: string;
  bytes: number;
  sqnr_db: Decibel;
  input_sqnr_db: Decibel;
  clipped_share: number | null;
  error_share: number | null;
  /** The root mean square of the weight's error in steps of its grid; rounding alone makes 0.289. */
  rmse_over_scale: number | null;
  note: string;
}

/** The bits that the kernel's exact search found for the budget in `options`. */
export interface Refinement {
  options: Options;
  /** By the layer's number in `Network.layers`. */
  bits: Record<string, number>;
  size_bytes: number;
  sqnr_db: Decibel;
}

export interface BenchmarkState {
  /** What can be measured: the source, applied conversions, exported files. */
  subjects: { key: string; label: string; detail: string }[];
  /** null before they were looked for. */
  targets:
    { target: string; engine: string; available: boolean; device: string; reason: string }[] | null;
  /** The rows as they come, and the report at the end. */
  live: string;
  document: unknown;
  /** Complete, cut short, or none yet. */
  state: 'none' | 'running' | 'complete' | 'stopped';
}

export interface Exported {
  path: string;
  size_bytes: number;
  summary: string;
}

/** Everything a panel shows: the traits of the widget, and what is saved in a notebook. */
export interface PanelState {
  network: Network;
  options: Options;
  sketches: SketchBlock[];
  clippings: ClippingTable[];
  sensitivity: Sensitivity | null;
  /** How long measuring the sensitivity takes, in seconds; null if it isn't known. */
  measuring_s: number | null;
  refinement: Refinement | null;
  code: string;
  task: Task;
  problem: Problem | null;
  /** From the first to the last. */
  results: Result[];
  benchmark: BenchmarkState;
  exported: Exported[];
  language: 'auto' | 'en' | 'zh';
}

/**
 * What the browser asks of Python, by `model.send`; Python answers by changing traits. On the way, `options` goes along:
 * ipywidgets holds changes of traits back while the kernel is busy, and messages would overtake them.
 */
export type Command =
  /** Whether an output that changes is drawn in place: elsewhere that would take the panel out of its user's hands. */
  | { command: 'ready'; in_place: boolean }
  | {
      command: 'sketch';
      granularity: Granularity;
      symmetric: boolean;
      narrow_range: boolean;
      observer: Observer;
      layers: number[];
    }
  | { command: 'measure' }
  | { command: 'refine' }
  | { command: 'apply'; predicted_db: Decibel }
  | { command: 'cancel' }
  | { command: 'export'; path: string; overwrite: boolean; float16: boolean }
  | { command: 'targets' }
  | {
      command: 'benchmark';
      subjects: string[];
      engines: string[];
      targets: string[];
      batches: number[];
      threads: number[];
      duration_s: number;
      launches: number;
    };

export type { Cell };
