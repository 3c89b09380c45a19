/** What undo and redo go back to: without it, a slider pulled by mistake would cost a setting that took an hour. */

import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';

/** How many steps are kept. */
const MOST_STEPS = 200;

export class History<Value> {
  readonly canUndo: ReadonlySignal<boolean>;
  readonly canRedo: ReadonlySignal<boolean>;
  readonly #canUndo = signal(false);
  readonly #canRedo = signal(false);
  readonly #same: (one: Value, other: Value) => boolean;
  #past: Value[] = [];
  #future: Value[] = [];
  #now: Value;

  constructor(now: Value, same: (one: Value, other: Value) => boolean) {
    this.#now = now;
    this.#same = same;
    this.canUndo = this.#canUndo;
    this.canRedo = this.#canRedo;
  }

  get now(): Value {
    return this.#now;
  }

  /** Take a step; false if it leads to where one is. */
  push(value: Value): boolean {
    if (this.#same(this.#now, value)) {
      return false;
    }
    this.#past = [...this.#past, this.#now].slice(-MOST_STEPS);
    this.#future = [];
    this.#go(value);
    return true;
  }

  /** Where the last step came from; null without any. */
  undo(): Value | null {
    return this.#step(this.#past, this.#future);
  }

  /** Where the step led that was undone last; null without any. */
  redo(): Value | null {
    return this.#step(this.#future, this.#past);
  }

  #step(from: Value[], to: Value[]): Value | null {
    const value = from.pop();
    if (value === undefined) {
      return null;
    }
    to.push(this.#now);
    this.#go(value);
    return value;
  }

  #go(value: Value): void {
    this.#now = value;
    this.#canUndo.value = this.#past.length > 0;
    this.#canRedo.value = this.#future.length > 0;
  }
}
