/** Reads a panel's state from a notebook: without it, a damaged or newer file would break the view that shows it. */

import type { Unreadable } from './readers';
import { fields, isRecord } from './readers';
import { READERS } from './shapes';
import type { PanelState } from './types';

/** The one version of a saved state that this release reads. */
export const VERSION = 1;

/** One key of a state, as it comes from a kernel, or from a file that a widget manager has read. */
export function readEntry<Key extends keyof PanelState>(key: Key, raw: unknown): PanelState[Key] {
  return READERS[key](raw, key, { places: [] });
}

export interface SavedState {
  /** null where there is no network to show. */
  state: PanelState | null;
  /** Places that couldn't be read, as `network.layers.3.name`. */
  unreadable: string[];
  /** The version of a state that another release has written. */
  otherVersion: string | null;
}

/** The state in a file: the saved view with its version, or the state alone. */
export function readSaved(data: unknown): SavedState {
  const isView = isRecord(data) && 'state' in data && 'version' in data;
  const raw = isView ? data.state : data;
  if (isView && data.version !== VERSION) {
    return { state: null, unreadable: [], otherVersion: inWords(data.version) };
  }
  const unreadable: Unreadable = { places: [] };
  const state: PanelState = fields(READERS)(raw, '', unreadable);
  if (!isRecord(raw) || !isRecord(raw.network)) {
    return { state: null, unreadable: unreadable.places, otherVersion: null };
  }
  return { state: consistent(atRest(state)), unreadable: unreadable.places, otherVersion: null };
}

/** Nothing runs in a file. */
function atRest(state: PanelState): PanelState {
  const running = state.benchmark.state === 'running';
  return {
    ...state,
    task: { ...state.task, kind: 'none', state: 'idle', step: '', done: 0, total: null },
    benchmark: running ? { ...state.benchmark, state: 'stopped' } : state.benchmark
  };
}

/** Numbers of layers that the network doesn't have are taken out. */
function consistent(state: PanelState): PanelState {
  const { length } = state.network.layers;
  const { sensitivity: measured } = state;
  return {
    ...state,
    sketches: state.sketches.filter(block => block.layers.every(item => item < length)),
    sensitivity: measured && {
      ...measured,
      layers: measured.layers.filter(item => item.layer < length)
    }
  };
}

function inWords(version: unknown): string {
  return typeof version === 'number' || typeof version === 'string' ? String(version) : '?';
}
