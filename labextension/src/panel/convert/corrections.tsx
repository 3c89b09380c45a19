/** What makes up for rounding, before it and after. */

import { Group, Select, Switch } from '../controls';
import { useText } from '../i18n';
import { CONTROLS } from '../locale/controls';
import { CONVERT } from '../locale/convert';
import { problemOf } from './rules';
import type { GroupProps } from './weights';

export function CorrectionsGroup({ store, possible }: GroupProps) {
  const t = useText(CONTROLS);
  const title = useText(CONVERT)('corrections');
  const options = store.options.value;
  const { live } = store;
  const clips = options.clipping !== null || options.weight_observer !== 'minmax';
  // What is on already can be put off, whatever became of the rest.
  const closed = (isPossible: boolean, isOn: boolean) => !live || !(isPossible || isOn);
  return (
    <Group title={title}>
      <Select
        label={t('rounding')}
        hint={t('roundingHint')}
        value={options.rounding}
        options={[
          { value: 'nearest', label: t('nearest') },
          { value: 'gptq', label: t('gptq') }
        ]}
        disabled={closed(possible.integers, options.rounding !== 'nearest')}
        reason={
          !possible.integers
            ? t('needsIntegers')
            : options.rounding === 'gptq' && clips
              ? t('gptqClips')
              : undefined
        }
        error={problemOf(store, 'rounding')}
        onChange={rounding => store.change({ rounding }, true)}
      />
      <Switch
        label={t('bias')}
        hint={t('biasHint')}
        value={options.bias_correction}
        disabled={closed(possible.integers, options.bias_correction)}
        reason={possible.integers ? undefined : t('needsIntegers')}
        error={problemOf(store, 'bias_correction')}
        onChange={bias_correction => store.change({ bias_correction }, true)}
      />
      <Switch
        label={t('equalize')}
        hint={t('equalizeHint')}
        value={options.equalize}
        disabled={closed(possible.tensor && possible.integers, options.equalize)}
        reason={possible.tensor ? undefined : t('equalizeReason')}
        error={problemOf(store, 'equalize')}
        onChange={equalize => store.change({ equalize }, true)}
      />
      <Switch
        label={t('smooth')}
        hint={t('smoothHint')}
        value={options.smooth}
        disabled={closed(possible.activations, options.smooth)}
        reason={possible.activations ? undefined : t('needsActivations')}
        error={problemOf(store, 'smooth')}
        onChange={smooth => store.change({ smooth }, true)}
      />
    </Group>
  );
}
