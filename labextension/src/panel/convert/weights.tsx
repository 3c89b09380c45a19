/** How weights are quantized: their format and their grid. */

import type { Choice } from '../controls';
import { Button, CalmSlider, Group, Select, Switch, TextField } from '../controls';
import { useState } from 'preact/hooks';

import type { Text } from '../i18n';
import { useText } from '../i18n';
import { CONTROLS } from '../locale/controls';
import { CONVERT } from '../locale/convert';
import { OBSERVERS, WEIGHTS } from '../shapes';
import type { Observer } from '../types';
import type { FormStore } from './form';
import type { Possible } from './rules';
import { problemOf } from './rules';

/** What every group of the form is given. */
export interface GroupProps {
  store: FormStore;
  possible: Possible;
}

const GROUPS = ['128', '64', '32'];
const OTHER = 'other';
const SHARE_STEP = 0.01;
const LEAST_SHARE = 0.05;

export function WeightsGroup({ store, possible }: GroupProps) {
  const t = useText(CONTROLS);
  const title = useText(CONVERT)('weights');
  const options = store.options.value;
  const idle = !store.live || !possible.integers;
  return (
    <Group title={title} reason={possible.integers ? undefined : t('noIntegers')}>
      <Select
        label={t('weights')}
        hint={t('weightsHint')}
        value={options.weights}
        options={WEIGHTS.map(value => ({
          value,
          label: possible.chosen && value === 'float32' ? t('weightsChosen') : value
        }))}
        disabled={!store.live || possible.chosen}
        reason={possible.chosen ? t('weightsReason') : undefined}
        error={problemOf(store, 'weights')}
        onChange={weights => store.change({ weights }, true)}
      />
      <Granularity store={store} disabled={idle} />
      <Switch
        label={t('symmetric')}
        hint={t('symmetricHint')}
        value={options.symmetric}
        disabled={idle}
        error={problemOf(store, 'symmetric')}
        onChange={symmetric => store.change({ symmetric }, true)}
      />
      <Switch
        label={t('narrow')}
        hint={t('narrowHint')}
        value={options.narrow_range && options.symmetric}
        disabled={idle || !options.symmetric}
        reason={possible.integers && !options.symmetric ? t('narrowReason') : undefined}
        error={problemOf(store, 'narrow_range')}
        onChange={narrow_range => store.change({ narrow_range }, true)}
      />
      <Select
        label={t('weightObserver')}
        hint={t('weightObserverHint')}
        value={options.weight_observer}
        options={observerChoices(t)}
        disabled={idle || options.clipping !== null}
        reason={
          possible.integers && options.clipping !== null ? t('weightObserverReason') : undefined
        }
        error={problemOf(store, 'weight_observer')}
        onChange={weight_observer => store.change({ weight_observer }, true)}
      />
      <Clipping store={store} possible={possible} />
    </Group>
  );
}

export function observerChoices(t: Text<Observer>): Choice<Observer>[] {
  return OBSERVERS.map(value => ({ value, label: t(value) }));
}

function Granularity({ store, disabled }: { store: FormStore; disabled: boolean }) {
  const t = useText(CONTROLS);
  const { granularity } = store.options.value;
  const size = /^group:(\d+)$/.exec(granularity)?.[1] ?? null;
  const isOther = size !== null && !GROUPS.includes(size);
  const [asksForSize, setAsksForSize] = useState(false);
  const choices: Choice<string>[] = [
    { value: 'channel', label: t('channel') },
    { value: 'tensor', label: t('tensor') },
    ...GROUPS.map(item => ({ value: `group:${item}`, label: t('group', { size: item }) })),
    { value: OTHER, label: t('groupOther') }
  ];
  const asks = isOther || asksForSize;
  return (
    <>
      <Select
        label={t('granularity')}
        hint={t('granularityHint')}
        value={asks ? OTHER : granularity}
        options={choices}
        disabled={disabled}
        error={problemOf(store, 'granularity')}
        onChange={value => {
          setAsksForSize(value === OTHER);
          if (value !== OTHER) {
            store.change({ granularity: value }, true);
          }
        }}
      />
      {asks ? (
        <TextField
          label={t('groupSize')}
          hint={t('groupSizeHint')}
          value={size ?? ''}
          inputMode="numeric"
          disabled={disabled}
          check={text => (/^[1-9]\d{0,8}$/.test(text.trim()) ? '' : t('groupSizeWrong'))}
          onCommit={text => {
            setAsksForSize(false);
            store.change({ granularity: `group:${text.trim()}` }, true);
          }}
        />
      ) : null}
    </>
  );
}

function Clipping({ store, possible }: GroupProps) {
  const t = useText(CONTROLS);
  const { clipping } = store.options.value;
  return (
    <div class="gs-Panel-pair">
      <CalmSlider
        label={t('clipping')}
        hint={t('clippingHint')}
        value={clipping ?? observedShare(store)}
        min={LEAST_SHARE}
        max={1}
        step={SHARE_STEP}
        format={share => `${Math.round(share * 100)} %`}
        disabled={!possible.integers}
        error={problemOf(store, 'clipping')}
        onInput={share => store.change({ clipping: share }, false)}
        onCommit={share => store.change({ clipping: share }, true)}
      />
      <Button
        label={t('clippingFree')}
        hint={t('clippingFreeHint')}
        kind="quiet"
        pressed={clipping === null}
        disabled={!possible.integers}
        onClick={() => store.change({ clipping: null }, true)}
      />
    </div>
  );
}

/** The median of what the observer keeps of the layers in integers; everything where none is. */
function observedShare(store: FormStore): number {
  const shares = store.prediction.value.layers
    .filter(layer => layer.bits !== null && !layer.fixed)
    .map(layer => layer.clipping)
    .sort((one, other) => one - other);
  return shares.length > 0 ? shares[Math.floor(shares.length / 2)] : 1;
}
