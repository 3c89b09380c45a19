/** What a panel is connected to, a kernel or a file: without it, every part of the panel would need to know which. */

import { isRecord } from './readers';
import { readEntry } from './reading';
import type { Command, PanelState } from './types';

/** What the panel itself may change. */
export type Settable = 'options' | 'language';

export interface Connection {
  /** Whether somebody answers commands. */
  readonly live: boolean;
  get<K extends keyof PanelState>(key: K): PanelState[K];
  /** Have `changed` called when the value of `key` is another; returns what ends that. */
  on<K extends keyof PanelState>(key: K, changed: () => void): () => void;
  /** Have `changed` called when `live` is another; returns what ends that. */
  onLive(changed: () => void): () => void;
  set<K extends Settable>(key: K, value: PanelState[K]): void;
  send(command: Command): void;
}

/** The part of an anywidget model that panels use. */
export interface WidgetModel {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (source?: unknown) => void): void;
  off(event: string, callback: (source?: unknown) => void): void;
}

/** What ipywidgets calls the change of whether a kernel answers. */
const LIVE_EVENT = 'comm_live_update';

/** A widget's model: what one view sets, all others get, and Python too. */
export class ModelConnection implements Connection {
  readonly #model: WidgetModel;
  readonly #read = new Map<string, { raw: unknown; value: unknown }>();
  readonly #liveListeners = new Set<() => void>();
  /** ipywidgets' own model, which anywidget hides; it comes along with each change. */
  #source: { comm_live?: unknown } | null = null;
  #live = true;

  constructor(model: WidgetModel) {
    this.#model = model;
    model.on(LIVE_EVENT, this.#checkLive);
  }

  get live(): boolean {
    return this.#live;
  }

  get<K extends keyof PanelState>(key: K): PanelState[K] {
    const raw = this.#model.get(key);
    const known = this.#read.get(key);
    if (known !== undefined && known.raw === raw) {
      return known.value as PanelState[K];
    }
    const value = readEntry(key, raw);
    this.#read.set(key, { raw, value });
    return value;
  }

  on<K extends keyof PanelState>(key: K, changed: () => void): () => void {
    const callback = (source?: unknown) => {
      this.#source = isRecord(source) ? source : this.#source;
      changed();
    };
    this.#model.on(`change:${key}`, callback);
    return () => this.#model.off(`change:${key}`, callback);
  }

  onLive(changed: () => void): () => void {
    this.#liveListeners.add(changed);
    return () => this.#liveListeners.delete(changed);
  }

  set<K extends Settable>(key: K, value: PanelState[K]): void {
    this.#model.set(key, value);
    this.#model.save_changes();
  }

  /** The options go along: ipywidgets holds changes back while the kernel is busy, and messages would overtake them. */
  send(command: Command): void {
    this.#model.send({ ...command, options: this.#model.get('options') });
  }

  /** Stop listening to the model, which outlives its views. */
  close(): void {
    this.#model.off(LIVE_EVENT, this.#checkLive);
    this.#liveListeners.clear();
  }

  readonly #checkLive = () => {
    // The event says nothing but that it is another. A view begins with a kernel, so the first means that it is gone.
    const said = this.#source?.comm_live;
    const live = typeof said === 'boolean' ? said : !this.#live;
    if (live !== this.#live) {
      this.#live = live;
      this.#liveListeners.forEach(changed => changed());
    }
  };
}

/** A state that nobody answers: what is changed in it is changed in this view only. */
export class SavedConnection implements Connection {
  readonly live = false;
  readonly #state: PanelState;
  readonly #listeners = new Map<keyof PanelState, Set<() => void>>();

  constructor(state: PanelState) {
    this.#state = { ...state };
  }

  get<K extends keyof PanelState>(key: K): PanelState[K] {
    return this.#state[key];
  }

  on<K extends keyof PanelState>(key: K, changed: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(changed));
    return () => listeners.delete(changed);
  }

  onLive(): () => void {
    return () => undefined;
  }

  set<K extends Settable>(key: K, value: PanelState[K]): void {
    this.#state[key] = value;
    this.#listeners.get(key)?.forEach(changed => changed());
  }

  send(): void {
    // Nobody is there.
  }
}
