/** What the benchmark's form holds, and the command it means: without it, mistakes would be found out in the kernel. */

import type { Signal } from '@preact/signals';
import { signal } from '@preact/signals';

import type { Store } from '../store';
import type { BenchmarkState, Command } from '../types';

export const ENGINES = ['mindspore', 'onnxruntime', 'lite'] as const;
export const TARGETS = ['cpu', 'gpu', 'ascend'] as const;
const ENGINE_OF_FILE: Partial<Record<string, Engine>> = {
  '.mindir': 'mindspore',
  '.onnx': 'onnxruntime',
  '.ms': 'lite'
};
export type Engine = (typeof ENGINES)[number];
export type Target = (typeof TARGETS)[number];

export interface Form {
  /** Keys of subjects that are not to be measured: one that comes later is. */
  leftOut: readonly string[];
  /** null before any was chosen: then those that are there. */
  engines: readonly Engine[] | null;
  targets: readonly Target[];
  batches: string;
  threads: string;
  duration: string;
  launches: string;
}

export const EMPTY: Form = {
  leftOut: [],
  engines: null,
  targets: ['cpu'],
  batches: '',
  threads: '',
  duration: '3',
  launches: '3'
};

/** What can be wrong: the key of the text that says so. */
export type Wrong = 'badCounts' | 'badDuration' | 'badLaunches' | 'noneChosen';
export type Place =
  'subjects' | 'engines' | 'targets' | 'batches' | 'threads' | 'duration' | 'launches';

export interface Plan {
  command: Extract<Command, { command: 'benchmark' }>;
  wrong: Partial<Record<Place, Wrong>>;
  /** How many rows it has at most, how many seconds they are measured, and in how many processes. */
  rows: number;
  seconds: number;
  processes: number;
}

const FORMS = new WeakMap<Store, Signal<Form>>();

/** The form of a panel, which stays while other tabs are open. */
export function formOf(store: Store): Signal<Form> {
  const form = FORMS.get(store) ?? signal(EMPTY);
  FORMS.set(store, form);
  return form;
}

/** What of the kernel's state a form rests on. */
export type Known = Pick<BenchmarkState, 'subjects' | 'targets'>;

/** The engines to measure on: as chosen, else those that are there. */
export function enginesOf(form: Form, known: Known): readonly Engine[] {
  if (form.engines !== null) {
    return form.engines;
  }
  if (known.targets !== null) {
    return ENGINES.filter(engine => isAvailable(engine, known.targets));
  }
  // Before anybody has looked: MindSpore Lite is seldom there, but who has a file for it most probably has it too.
  const files = chosenOf(form, known).map(engineOfFile);
  return ENGINES.filter(engine => engine !== 'lite' || files.includes(engine));
}

/** Whether an engine runs anywhere; before that was looked for, any may. */
export function isAvailable(engine: Engine, places: Known['targets']): boolean {
  return places === null || places.some(place => place.engine === engine && place.available);
}

/** What the form means, and what is wrong with it. */
export function planOf(form: Form, known: Known): Plan {
  const chosen = chosenOf(form, known);
  const engines = enginesOf(form, known);
  const batches = countsIn(form.batches);
  const threads = countsIn(form.threads);
  const duration_s = numberIn(form.duration, 0.1, 3600);
  const launches = numberIn(form.launches, 1, 50);
  const isWhole = launches !== null && Number.isInteger(launches);
  const wrong: Plan['wrong'] = {
    ...(chosen.length === 0 && { subjects: 'noneChosen' }),
    ...(engines.length === 0 && { engines: 'noneChosen' }),
    ...(form.targets.length === 0 && { targets: 'noneChosen' }),
    ...(batches === null && { batches: 'badCounts' }),
    ...(threads === null && { threads: 'badCounts' }),
    ...(duration_s === null && { duration: 'badDuration' }),
    ...(!isWhole && { launches: 'badLaunches' })
  };
  const command: Plan['command'] = {
    command: 'benchmark',
    subjects: chosen,
    // None stands for all that can.
    engines: engines.length === ENGINES.length ? [] : [...engines],
    targets: [...form.targets],
    batches: batches ?? [],
    threads: threads ?? [],
    duration_s: duration_s ?? 3,
    launches: isWhole ? launches : 3
  };
  const rows = rowsOf(command, engines);
  return {
    command,
    wrong,
    rows,
    seconds: rows * command.duration_s,
    processes: rows * command.launches
  };
}

/** How many rows there are at most: a file runs on its own engine, a network on all of them. */
function rowsOf(
  { subjects, targets, batches, threads }: Plan['command'],
  engines: readonly Engine[]
) {
  const rows = subjects.map(key => {
    const own = engineOfFile(key);
    return own === undefined ? engines.length : Number(engines.includes(own));
  });
  const combinations = Math.max(1, batches.length) * Math.max(1, threads.length);
  return rows.reduce((sum, count) => sum + count, 0) * targets.length * combinations;
}

/** The keys of what is to be measured. */
function chosenOf(form: Form, { subjects }: Known): string[] {
  return subjects.map(({ key }) => key).filter(key => !form.leftOut.includes(key));
}

/** The one engine for a file; none for what isn't one. */
function engineOfFile(key: string): Engine | undefined {
  return ENGINE_OF_FILE[/^file:.*(\.\w+)$/s.exec(key)?.[1].toLowerCase() ?? ''];
}

/** Whole numbers from 1, between commas or spaces; null if `text` holds anything else. */
function countsIn(text: string): number[] | null {
  const parts = text.split(/[\s,，、]+/).filter(part => part !== '');
  return parts.every(part => /^[1-9]\d{0,6}$/.test(part)) ? [...new Set(parts.map(Number))] : null;
}

function numberIn(text: string, least: number, most: number): number | null {
  const value = /^\s*\d+([.]\d+)?\s*$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : null;
}
