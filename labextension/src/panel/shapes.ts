/** What each part of a panel's state must look like, key by key, and what stands in where it doesn't. */

import type { Reader } from './readers';
import {
  anything,
  checked,
  fields,
  flag,
  flagOr,
  isRecord,
  listOf,
  mapOf,
  number,
  numberFrom,
  oneOf,
  orNull,
  someFields,
  text,
  textLike
} from './readers';
import type {
  Activation,
  BenchmarkState,
  ClippingTable,
  Decibel,
  Exported,
  Layer,
  LayerResult,
  Network,
  Observer,
  Options,
  Override,
  PanelState,
  Problem,
  Refinement,
  Result,
  Sensitivity,
  SketchBlock,
  Task
} from './types';

export const WEIGHTS = [
  'float32',
  'float16',
  'int8',
  'int7',
  'int6',
  'int5',
  'int4',
  'int3',
  'int2'
] as const;
export const OBSERVERS: readonly Observer[] = ['minmax', 'percentile', 'mse', 'entropy'];
export const ACTIVATIONS = ['float32', 'int8'] as const;
export const GRANULARITY = /^(tensor|channel|group:[1-9]\d{0,8})$/;

const KINDS: readonly Task['kind'][] = [
  'none',
  'open',
  'sketch',
  'measure',
  'refine',
  'apply',
  'export',
  'targets',
  'benchmark'
];
const STATES: readonly Task['state'][] = [
  'idle',
  'waiting',
  'running',
  'done',
  'cancelled',
  'failed'
];

const decibel: Reader<Decibel> = orNull(
  checked<Decibel>((raw): raw is number | 'inf' => raw === 'inf' || isFinite(raw), null)
);
const weights: Reader<string> = oneOf<string>(WEIGHTS, 'float32');
const activations: Reader<string> = oneOf<string>(ACTIVATIONS, 'float32');
const granularity = textLike(GRANULARITY, 'channel');
const observer = oneOf(OBSERVERS, 'minmax');
/** More than 0 and 1 at most. */
const share = numberFrom(Number.MIN_VALUE, 1, 1);
const count = numberFrom(0, Number.MAX_SAFE_INTEGER, 0);
const index = checked((raw): raw is number => Number.isInteger(raw) && Number(raw) >= 0, -1);
const name = orNull(text);

const overrideFields: Reader<Override> = someFields({
  weights,
  activations,
  granularity,
  symmetric: flagOr(true),
  narrow_range: flagOr(true),
  observer,
  clipping: share
});
/** A format alone is short for that of the weights, as in Python. */
const override: Reader<Override> = (raw, place, unreadable) =>
  overrideFields(typeof raw === 'string' ? { weights: raw } : raw, place, unreadable);
/** A number of bytes is a size too. */
const size: Reader<string | null> = (raw, place, unreadable) =>
  name(isFinite(raw) ? String(raw) : raw, place, unreadable);

const options: Reader<Options> = fields({
  weights,
  activations,
  granularity,
  symmetric: flagOr(true),
  narrow_range: flagOr(true),
  weight_observer: observer,
  activation_observer: observer,
  clipping: orNull(share),
  rounding: oneOf(['nearest', 'gptq'] as const, 'nearest'),
  equalize: flag,
  smooth: flag,
  bias_correction: flag,
  layers: mapOf(override),
  budget: size,
  max_drop: name,
  simulate: flagOr(true)
});

const range = fields({
  low: number,
  high: number,
  scale: number,
  zero_point: number,
  sqnr_db: decibel,
  clipped_share: number
});

const activation: Reader<Activation> = fields({
  low: number,
  high: number,
  observers: fields({ minmax: range, percentile: range, mse: range, entropy: range }),
  counts: listOf(number)
});

const layer: Reader<Layer> = fields({
  name: text,
  names: listOf(text),
  operator: text,
  shape: listOf(number),
  parameters: count,
  float_bytes: count,
  low: number,
  high: number,
  obstacle: text,
  weights: listOf(fields({ shape: listOf(number), axis: number })),
  activation: orNull(activation)
});

const network: Reader<Network> = fields({
  name: text,
  names: fields({
    source: name,
    inputs: name,
    ckpt: name,
    calibration: name,
    labels: name,
    output: name
  }),
  inputs: listOf(fields({ name: text, shape: orNull(listOf(number)), dtype: text })),
  recognised: listOf(text),
  notes: listOf(text),
  float_bytes: count,
  fixed_bytes: count,
  layers: listOf(layer)
});

const sketch: Reader<SketchBlock> = fields({
  granularity,
  symmetric: flagOr(true),
  layers: listOf(index),
  data: checked<DataView | string>(
    (raw): raw is DataView | string => typeof raw === 'string' || raw instanceof DataView,
    ''
  )
});

const clipping: Reader<ClippingTable> = fields({
  observer,
  granularity,
  symmetric: flagOr(true),
  narrow_range: flagOr(true),
  ratios: mapOf(listOf(share))
});

const sensitivity: Reader<Sensitivity> = fields({
  layers: listOf(
    fields({ layer: index, weight_errors: mapOf(number), measured: mapOf(number) }),
    item => item.layer >= 0
  ),
  ceiling: orNull(number),
  activation_error: number,
  measurement: text,
  options
});

const refinement: Reader<Refinement> = fields({
  options,
  bits: mapOf(numberFrom(2, 32, 8)),
  size_bytes: count,
  sqnr_db: decibel
});

const task: Reader<Task> = fields({
  kind: oneOf(KINDS, 'none'),
  state: oneOf(STATES, 'idle'),
  step: text,
  done: count,
  total: orNull(count),
  cancelled_by: oneOf(['message', 'interrupt'] as const, 'message'),
  kernel_id: name
});

const problem: Reader<Problem> = fields({
  command: text,
  message: text,
  advice: text,
  option: name
});

const layerResult: Reader<LayerResult> = fields({
  weights: text,
  activations: text,
  bytes: count,
  sqnr_db: decibel,
  input_sqnr_db: decibel,
  clipped_share: orNull(number),
  error_share: orNull(number),
  rmse_over_scale: orNull(number),
  note: text
});

const result: Reader<Result> = fields({
  number: count,
  options,
  code: text,
  title: text,
  bound_to: name,
  size_bytes: count,
  weight_bytes: count,
  source_bytes: count,
  sqnr_db: decibel,
  verification: text,
  predicted_db: decibel,
  notes: listOf(text),
  layers: mapOf(layerResult),
  document: anything
});

const benchmark: Reader<BenchmarkState> = fields({
  subjects: listOf(fields({ key: text, label: text, detail: text })),
  targets: orNull(
    listOf(fields({ target: text, engine: text, available: flag, device: text, reason: text }))
  ),
  live: text,
  document: anything,
  state: oneOf(['none', 'running', 'complete', 'stopped'] as const, 'none')
});

const exported: Reader<Exported> = fields({ path: text, size_bytes: count, summary: text });

/** A reader for each key of the state. */
export const READERS: { [Key in keyof PanelState]: Reader<PanelState[Key]> } = {
  network,
  options,
  sketches: listOf(sketch, block => block.data !== '' && block.layers.every(item => item >= 0)),
  clippings: listOf(clipping),
  sensitivity: orNull(sensitivity),
  measuring_s: orNull(number),
  refinement: orNull(refinement),
  code: text,
  task,
  problem: orNull(problem),
  results: listOf(result, (_, raw) => isRecord(raw)),
  benchmark,
  exported: listOf(exported, (_, raw) => isRecord(raw)),
  language: oneOf(['auto', 'en', 'zh'] as const, 'auto')
};

function isFinite(raw: unknown): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw);
}
