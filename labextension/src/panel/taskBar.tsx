/** What is predicted, what Apply will do, and what the kernel does now: it stays in sight below every tab. */

import type { ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';

import { adviceOf } from './code/advice';
import { blamed } from './convert/rules';
import { Button } from './controls';
import { leftOutOf } from './core/leftOut';
import type { Text } from './i18n';
import { useText } from './i18n';
import { decibelText, formatBytes, timesText } from './layers/numbers';
import { APP } from './locale/app';
import { leftOutText } from './locale/leftOut';
import type { Store } from './store';
import { TabContext } from './tabs';
import type { Command, Options, Task } from './types';

/** From here on a network is said to become smaller. */
const LEAST_WORTH_SAYING = 1.05;

type Say = Text<keyof (typeof APP)['en']>;

export function TaskBar({ store }: { store: Store }) {
  const t = useText(APP);
  const isBusy = store.busy.value;
  const hasLayers = store.network.layers.length > 0;
  return (
    <div class="gs-Panel-bar">
      <div class="gs-Panel-row">
        {hasLayers ? <Predicted store={store} /> : null}
        {store.live && !isBusy ? (
          <Button
            label={t('apply')}
            hint={t('applyHint')}
            kind="primary"
            onClick={() => store.apply()}
          />
        ) : null}
      </div>
      <Problems store={store} />
      <div class="gs-Panel-news">
        <Progress store={store} />
        {store.live && !isBusy ? <WillDo store={store} /> : null}
      </div>
    </div>
  );
}

function Predicted({ store }: { store: Store }) {
  const t = useText(APP);
  const { weightBytes, compression, outputSqnrDb, withinBudget, smallestBytes } =
    store.prediction.value;
  const sensitivity = store.sensitivity.value;
  const leftOut = leftOutOf(store.options.value, sensitivity);
  const missesActivations = leftOut.includes('activations');
  return (
    <div class="gs-Panel-predicted">
      <dl class="gs-Panel-facts" aria-label={t('prediction')}>
        <Fact term={t('weightsSize')}>
          {formatBytes(weightBytes)}{' '}
          {compression > LEAST_WORTH_SAYING ? (
            <small>{t('smaller', { times: timesText(compression) })}</small>
          ) : null}
        </Fact>
        <Fact term={t('outputSqnr')}>
          {sensitivity === null ? t('notMeasured') : decibelText(outputSqnrDb)}{' '}
          {store.live && (sensitivity === null || missesActivations) ? (
            <Measure store={store} again={missesActivations} />
          ) : null}
        </Fact>
      </dl>
      {sensitivity !== null && leftOut.length > 0 ? (
        <p class="gs-Panel-remark">{leftOutText(leftOut, store.language.value)}</p>
      ) : null}
      {store.options.value.budget !== null && !withinBudget ? (
        <p class="gs-Panel-error">{t('tooSmall', { size: formatBytes(smallestBytes) })}</p>
      ) : null}
    </div>
  );
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Measure({ store, again }: { store: Store; again: boolean }) {
  const t = useText(APP);
  const seconds = store.measuring_s.value;
  const time = seconds === null ? '' : ` (${t('measureTime', { time: timeText(seconds, t) })})`;
  return (
    <Button
      label={t(again ? 'measureAgain' : 'measure') + time}
      hint={t('measureHint')}
      disabled={store.busy.value}
      onClick={() => store.send({ command: 'measure' })}
    />
  );
}

/** The last problem; the form says it too where the option stands that is to blame. */
function Problems({ store }: { store: Store }) {
  const t = useText(APP);
  const tab = useContext(TabContext).value;
  const problem = store.problem.value;
  if (problem === null) {
    return null;
  }
  const isSaidAbove = tab === 'convert' && isOption(store, blamed(problem.option));
  return (
    <div class="gs-Panel-problem" role={isSaidAbove ? undefined : 'alert'}>
      <p>
        <strong>{problem.message}</strong> {adviceOf(problem, store.language.value)}
      </p>
      <Button label={t('dismiss')} kind="quiet" onClick={() => store.dismissProblem()} />
    </div>
  );
}

function isOption(store: Store, option: string | null): boolean {
  return option !== null && Object.hasOwn(store.options.value, option);
}

/** What runs, or how it ended. The words stand in one place for good, or they would not be read out. */
function Progress({ store }: { store: Store }) {
  const t = useText(APP);
  const task = store.task.value;
  const asked = store.asked.value;
  const isRunning = asked !== null || isActive(task);
  const [advice, setAdvice] = useState('');
  useEffect(() => setAdvice(''), [task.kind, task.state]);
  const share = asked === null && task.total ? Math.min(1, task.done / task.total) : null;
  const cancel = () => {
    if (task.cancelled_by === 'interrupt' && asked === null) {
      setAdvice(interrupted(task.kernel_id) ? t('cancelling') : t('useInterrupt'));
    } else {
      store.send({ command: 'cancel' });
      setAdvice(t('cancelling'));
    }
  };
  return (
    <div class="gs-Panel-progress">
      {isRunning ? (
        <div class="gs-Panel-row">
          <progress
            aria-label={t('progress')}
            max={1}
            // Without a value it moves to and fro.
            {...(share === null ? {} : { value: share })}
          />
          {store.live ? <Button label={t('cancel')} onClick={cancel} /> : null}
        </div>
      ) : null}
      <p>
        {/* Only the step is read out: every per cent would drown all else. */}
        <span role="status">
          {isRunning ? `${stepText(task, asked, t)} ${advice}` : endText(task, t)}
        </span>{' '}
        {isRunning && asked === null ? <small>{countText(task, share, t)}</small> : null}
      </p>
    </div>
  );
}

function endText(task: Task, t: Say): string {
  // What the panel asks for by itself ends without a word.
  if (task.kind === 'none' || task.kind === 'sketch' || task.kind === 'refine') {
    return '';
  }
  const said = { done: 'stateDone', cancelled: 'stateCancelled', failed: 'stateFailed' } as const;
  return task.state in said
    ? t(said[task.state as keyof typeof said], { task: kindText(task.kind, t) })
    : '';
}

function WillDo({ store }: { store: Store }) {
  const t = useText(APP);
  const { layers, names } = store.network;
  const parts =
    layers.length > 0 ? partsOf(store.options.value, t).join(t('comma')) : t('doNothing');
  const { output } = names;
  return (
    <p class="gs-Panel-remark">
      {output === null ? t('willDo', { parts }) : t('willBind', { parts, output })}
    </p>
  );
}

/** What a conversion with `options` does, step by step in a few words each. */
function partsOf(options: Options, t: Say): string[] {
  const count = Object.keys(options.layers).length;
  const isInteger = options.weights.startsWith('int');
  const activations = options.activations === 'int8';
  const share = `${Math.round(100 * (options.clipping ?? 1))} %`;
  const parts: [boolean, string][] = [
    [true, weightsText(options, t)],
    [options.clipping !== null && isInteger, t('doClipping', { share })],
    [activations, t(options.simulate ? 'doActivations' : 'doAnnotate')],
    [options.equalize, t('doEqualize')],
    [options.smooth, t('doSmooth')],
    [options.rounding === 'gptq', t('doGptq')],
    [options.bias_correction, t('doBias')],
    [count > 0, t(count === 1 ? 'doOverride' : 'doOverrides', { count })]
  ];
  return parts.filter(([isDone]) => isDone).map(([, words]) => words);
}

function weightsText({ weights, granularity, budget, max_drop }: Options, t: Say): string {
  if (budget !== null) {
    return t('doBudget', { budget });
  }
  if (max_drop !== null) {
    return t('doMaxDrop', { drop: max_drop });
  }
  if (!weights.startsWith('int')) {
    return t(weights === 'float16' ? 'doFloat16' : 'doFloat32');
  }
  const size = granularity.split(':')[1];
  const part =
    size === undefined ? t(granularity === 'tensor' ? 'tensor' : 'channel') : t('group', { size });
  return t('doInteger', { weights, granularity: part });
}

/** Ask whoever can to interrupt the kernel; false where nobody listens. */
function interrupted(kernelId: string | null): boolean {
  const event = new CustomEvent('gsjupyter:interrupt', { detail: { kernelId }, cancelable: true });
  return !document.dispatchEvent(event);
}

function isActive(task: Task): boolean {
  return task.state === 'running' || task.state === 'waiting';
}

function stepText(task: Task, asked: Command | null, t: Say): string {
  if (asked !== null) {
    return t('asked');
  }
  return task.state === 'waiting' ? t('waiting') : task.step || kindText(task.kind, t);
}

function countText({ done, total }: Task, share: number | null, t: Say): string {
  if (share !== null && total !== null) {
    const percent = Math.floor(100 * share);
    return t('share', { done, total, percent });
  }
  return done > 0 ? t('count', { done }) : '';
}

function kindText(kind: Task['kind'], t: Say): string {
  const keys = {
    none: 'taskNone',
    open: 'taskOpen',
    sketch: 'taskSketch',
    measure: 'taskMeasure',
    refine: 'taskRefine',
    apply: 'taskApply',
    export: 'taskExport',
    targets: 'taskTargets',
    benchmark: 'taskBenchmark'
  } as const;
  return t(keys[kind]);
}

function timeText(seconds: number, t: Say): string {
  return seconds < 90
    ? t('seconds', { number: Math.max(1, Math.round(seconds)) })
    : t('minutes', { number: Math.round(seconds / 60) });
}
