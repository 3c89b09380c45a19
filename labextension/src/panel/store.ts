/** The one state that all parts of a panel show: without it, tabs, charts and sliders would tell different stories. */

import { batch, computed, signal } from '@preact/signals';
import type { ReadonlySignal, Signal } from '@preact/signals';

import type { Connection } from './connection';
import { Predictor } from './core/prediction';
import type { Prediction } from './core/prediction';
import { sameOptions } from './core/settings';
import { History } from './history';
import type { Language } from './i18n';
import { pageLanguage, textIn } from './i18n';
import { APP } from './locale/app';
import { askNotebook, IN_PLACE } from './notebookEvents';
import { withOverride } from './overrides';
import type {
  BenchmarkState,
  Command,
  Exported,
  Network,
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

export type Tab = 'convert' | 'layers' | 'benchmark' | 'code';

/** What keeps the kernel, and whoever waits for it, busy for longer than a moment. */
const LONG: readonly string[] = ['open', 'measure', 'apply', 'export', 'targets', 'benchmark'];

/** How `Predictor` looks from here. */
export type Predicting = Pick<
  Predictor,
  | 'load'
  | 'setClippings'
  | 'setSensitivity'
  | 'setRefinement'
  | 'predict'
  | 'curve'
  | 'missing'
  | 'histogram'
>;

export class Store {
  readonly network: Network;
  readonly predictor: Predicting;
  /** As the controls stand, while a slider moves too. */
  readonly options: Signal<Options>;
  /** What the options would make of the network; at most one frame behind them. */
  readonly prediction: Signal<Prediction>;
  /** Numbers of the selected layers in `network.layers`. */
  readonly selected = signal<number[]>([]);
  readonly hovered = signal<number | null>(null);
  /** The tab that was opened last; each view has its own in `TabContext`. */
  readonly tab = signal<Tab>('convert');
  readonly sensitivity: ReadonlySignal<Sensitivity | null>;
  readonly measuring_s: ReadonlySignal<number | null>;
  readonly refinement: ReadonlySignal<Refinement | null>;
  readonly code: ReadonlySignal<string>;
  readonly task: ReadonlySignal<Task>;
  readonly results: ReadonlySignal<Result[]>;
  readonly benchmark: ReadonlySignal<BenchmarkState>;
  readonly exported: ReadonlySignal<Exported[]>;
  /** What went wrong last, until options change or it is dismissed. */
  readonly problem: ReadonlySignal<Problem | null>;
  readonly language: ReadonlySignal<Language>;
  /** Whether something long runs, or was asked for and hasn't begun. */
  readonly busy: ReadonlySignal<boolean>;
  /** The long work that was asked for and hasn't begun. */
  readonly asked = signal<Command | null>(null);
  readonly canUndo: ReadonlySignal<boolean>;
  readonly canRedo: ReadonlySignal<boolean>;
  /** Counts up when sketches, clippings or measurements arrive: what `predictor` says may be another then. */
  readonly revision = signal(0);

  readonly #connection: Connection;
  readonly #live: Signal<boolean>;
  readonly #isSaved: boolean;
  /** The last problem, of the kernel or of the browser. */
  readonly #problem: Signal<Problem | null>;
  readonly #dismissed = signal<Problem | null>(null);
  readonly #history: History<Options>;
  readonly #loaded = new Set<string>();
  readonly #requested = new Set<string>();
  readonly #ends: (() => void)[] = [];
  #frame: number | null = null;
  #closed = false;

  constructor(connection: Connection, predictor?: Predicting) {
    this.#connection = connection;
    this.network = connection.get('network');
    this.predictor = predictor ?? new Predictor(this.network);
    this.#live = signal(connection.live);
    this.#isSaved = !connection.live;
    this.#ends.push(connection.onLive(() => (this.#live.value = connection.live)));

    this.sensitivity = this.#follow('sensitivity', () => this.#measured());
    this.measuring_s = this.#follow('measuring_s');
    this.refinement = this.#follow('refinement', () => this.#measured());
    this.code = this.#follow('code');
    this.task = this.#follow('task', () => this.#begun());
    this.results = this.#follow('results');
    this.benchmark = this.#follow('benchmark');
    this.exported = this.#follow('exported');
    this.#problem = signal(connection.get('problem'));
    this.#follow('problem', () => this.#failed());
    this.problem = computed(() =>
      this.#problem.value === this.#dismissed.value ? null : this.#problem.value
    );
    const language = this.#follow('language');
    this.language = computed(() => (language.value === 'auto' ? pageLanguage() : language.value));
    this.busy = computed(() => this.asked.value !== null || isLong(this.task.value));

    this.#history = new History(connection.get('options'), sameOptions);
    this.canUndo = this.#history.canUndo;
    this.canRedo = this.#history.canRedo;
    this.options = signal(this.#history.now);
    this.#follow('options', () => this.#optionsCame());
    this.#follow('clippings', () => this.#clippingsCame());
    this.#follow('sketches', () => void this.#load());

    this.predictor.setClippings(connection.get('clippings'));
    this.predictor.setSensitivity(this.sensitivity.value);
    this.predictor.setRefinement(this.refinement.value);
    this.prediction = signal(this.predictor.predict(this.options.value));
    void this.#start();
  }

  /** Whether a kernel answers; false in a saved notebook. */
  get live(): boolean {
    return this.#live.value;
  }

  /** Whether this comes from a file: no kernel has ever answered here. */
  get isSaved(): boolean {
    return this.#isSaved;
  }

  /**
   * Change some options. While a slider moves, `commit` is false and all stays in the browser; with true the kernel
   * hears of it, and it can be undone.
   */
  change(patch: Partial<Options>, commit: boolean): void {
    this.#change({ ...this.options.value, ...patch }, commit);
  }

  /** Change the overrides of some layers; a field that is undefined leaves it to the others, null drops the override. */
  changeLayers(layers: number[], patch: Partial<Override> | null, commit: boolean): void {
    const names = layers.flatMap(layer => this.network.layers[layer]?.names ?? []);
    this.change({ layers: withOverride(this.options.value, names, patch) }, commit);
  }

  undo(): void {
    this.#restore(this.#history.undo());
  }

  redo(): void {
    this.#restore(this.#history.redo());
  }

  send(command: Command): void {
    if (!this.live) {
      return;
    }
    if (command.command === 'cancel') {
      this.asked.value = null;
    } else if (LONG.includes(command.command)) {
      this.asked.value = command;
    }
    this.#connection.send(command);
  }

  /** Convert with the options as they stand, and remember what was predicted of it. */
  apply(): void {
    this.change({}, true);
    this.predictNow();
    this.send({ command: 'apply', predicted_db: this.prediction.value.outputSqnrDb });
  }

  setLanguage(language: PanelState['language']): void {
    this.#connection.set('language', language);
  }

  /** Show no more of the present problem. */
  dismissProblem(): void {
    this.#dismissed.value = this.problem.value ?? this.#dismissed.value;
  }

  /** Predict at once instead of in the next frame. */
  predictNow(): void {
    if (this.#frame !== null) {
      cancelAnimationFrame(this.#frame);
      this.#frame = null;
    }
    this.prediction.value = this.predictor.predict(this.options.value);
  }

  /** Let go of the connection. */
  close(): void {
    this.#closed = true;
    this.#ends.forEach(end => end());
    if (this.#frame !== null) {
      cancelAnimationFrame(this.#frame);
    }
  }

  #change(options: Options, commit: boolean): void {
    this.options.value = options;
    this.#predictSoon();
    if (commit && this.#history.push(options)) {
      this.#commit(options);
    }
  }

  #restore(options: Options | null): void {
    if (options !== null) {
      this.options.value = options;
      this.#predictSoon();
      this.#commit(options);
    }
  }

  #commit(options: Options): void {
    this.dismissProblem();
    this.#connection.set('options', options);
    this.#request();
    if (options.budget !== null && this.sensitivity.value !== null) {
      this.send({ command: 'refine' });
    }
  }

  /** A signal with the value of one of the state's keys; `then` is called after it has changed. */
  #follow<K extends keyof PanelState>(
    key: K,
    then: () => void = () => undefined
  ): ReadonlySignal<PanelState[K]> {
    const followed = signal(this.#connection.get(key));
    const changed = () =>
      batch(() => {
        followed.value = this.#connection.get(key);
        then();
      });
    this.#ends.push(this.#connection.on(key, changed));
    return followed;
  }

  async #start(): Promise<void> {
    // Commands that the kernel hears before sketches are read would ask for what is there.
    await this.#load();
    if (!this.#closed) {
      const kernelId = this.task.value.kernel_id;
      const in_place = askNotebook(document.documentElement, IN_PLACE, { kernelId });
      this.send({ command: 'ready', in_place });
      this.#request();
    }
  }

  async #load(): Promise<void> {
    const blocks = this.#connection
      .get('sketches')
      .filter(block => !this.#loaded.has(keyOf(block)));
    blocks.forEach(block => this.#loaded.add(keyOf(block)));
    if (blocks.length > 0) {
      try {
        await this.predictor.load(blocks);
      } catch (error) {
        this.#unreadable(error);
      }
      this.#renew();
    }
  }

  /** Some sketches are not what they should be; whatever was sent with them is there. */
  #unreadable(error: unknown): void {
    const t = textIn(APP, this.language.value);
    this.#problem.value = {
      command: 'sketch',
      message: t('unreadableSketches', { reason: reasonOf(error) }),
      advice: t('unreadableSketchesAdvice'),
      option: null
    };
  }

  #clippingsCame(): void {
    this.predictor.setClippings(this.#connection.get('clippings'));
    this.#renew();
  }

  #measured(): void {
    this.predictor.setSensitivity(this.#connection.get('sensitivity'));
    this.predictor.setRefinement(this.#connection.get('refinement'));
    this.#renew();
  }

  #begun(): void {
    this.asked.value = null;
  }

  #failed(): void {
    this.#problem.value = this.#connection.get('problem');
    this.#begun();
    if (this.#connection.get('problem')?.command === 'sketch') {
      // What could not be made may be asked for again.
      this.#requested.clear();
    }
  }

  /** Options from another view of the same model, or from Python. */
  #optionsCame(): void {
    const options = this.#connection.get('options');
    if (this.#history.push(options)) {
      this.options.value = options;
      this.#predictSoon();
    }
  }

  #renew(): void {
    if (!this.#closed) {
      this.revision.value += 1;
      this.#predictSoon();
    }
  }

  #predictSoon(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.predictNow();
    });
  }

  /** Ask for the sketches that the options need and nobody has asked for. */
  #request(): void {
    for (const request of this.predictor.missing(this.options.value)) {
      const key = JSON.stringify(request);
      if (!this.#requested.has(key)) {
        this.#requested.add(key);
        this.send({ command: 'sketch', ...request });
      }
    }
  }
}

function isLong(task: Task): boolean {
  return (task.state === 'running' || task.state === 'waiting') && LONG.includes(task.kind);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function keyOf(block: SketchBlock): string {
  return JSON.stringify([block.granularity, block.symmetric, block.layers]);
}
