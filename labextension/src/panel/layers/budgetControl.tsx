/** The size budget: which bits each layer gets follows from one number, and from what was measured of the network. */

import { useRef } from 'preact/hooks';

import { Button, CalmSlider, Switch } from '../controls';
import { parseBudget } from '../core/budget';
import type { Store } from '../store';
import { budgetText, largestRatio, RATIO_STEP } from './budget';
import { useLive } from './live';
import { formatBytes, timesText } from './numbers';
import type { Words } from './words';

export function BudgetControl({ store, t }: { store: Store; t: Words }) {
  const { network } = store;
  const floatBytes = network.float_bytes;
  const budget = useLive(() => store.options.value.budget, [store]).value;
  const largest = useLive(
    () => largestRatio(floatBytes, store.prediction.value.smallestBytes),
    [store]
  ).value;
  const fits = useLive(() => store.prediction.value.withinBudget, [store]).value;
  /** The format to go back to without a budget. */
  const before = useRef('int8');
  const on = budget !== null;
  const bytes = budget === null ? null : parseBudget(budget, floatBytes);
  const ratio = bytes === null ? largest : floatBytes / bytes;
  const set = (value: number, commit: boolean) =>
    store.change({ budget: budgetText(value), weights: 'float32', max_drop: null }, commit);
  const toggle = (wanted: boolean) => {
    if (!wanted) {
      store.change({ budget: null, weights: before.current }, true);
      return;
    }
    const { weights } = store.options.peek();
    before.current = weights === 'float32' ? 'int8' : weights;
    set(firstRatio(store.prediction.peek().compression, largest), true);
  };
  return (
    <div class="gs-Layers-control">
      <CalmSlider
        label={t('budget')}
        hint={t('budgetHint')}
        value={Math.min(ratio, largest)}
        min={1}
        max={largest}
        step={RATIO_STEP}
        format={() =>
          bytes === null
            ? t('off')
            : t('budgetValue', { ratio: timesText(ratio), size: formatBytes(bytes) })
        }
        disabled={!on}
        onInput={value => set(value, false)}
        onCommit={value => set(value, true)}
      />
      <Switch label={t('limitSize')} hint={t('limitSizeHint')} value={on} onChange={toggle} />
      {fits ? null : (
        <p class="gs-Layers-warning" role="status">
          {t('tooSmall', { size: formatBytes(store.prediction.peek().smallestBytes) })}
        </p>
      )}
    </div>
  );
}

/** What the output's error needs, said where it is missing, with what makes it. */
export function MeasurePlace({ store, t }: { store: Store; t: Words }) {
  if (store.sensitivity.value !== null) {
    return null;
  }
  const { kind } = store.task.value;
  const asked = store.asked.value?.command === 'measure';
  const measuring = asked || (store.busy.value && kind === 'measure');
  const seconds = store.measuring_s.value;
  const label =
    seconds === null ? t('measure') : t('measureAbout', { seconds: secondsText(seconds) });
  return (
    <div class="gs-Layers-measure" role="status">
      <p>{store.live ? t('notMeasured') : t('notMeasuredSaved')}</p>
      {store.live ? (
        <Button
          label={measuring ? t('measuring') : label}
          hint={t('measureHint')}
          disabled={store.busy.value}
          onClick={() => store.send({ command: 'measure' })}
        />
      ) : null}
    </div>
  );
}

/** As small as the network is now, so that turning a budget on shows what choosing bits by layer gains. */
function firstRatio(compression: number, largest: number): number {
  const ratio = compression > 1.05 ? compression : 4;
  return Math.max(1, Math.min(largest, Math.floor(ratio * 10 + 1e-9) / 10));
}

function secondsText(seconds: number): string {
  return String(Math.max(1, Math.round(seconds)));
}
