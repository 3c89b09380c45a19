/** How the inputs of layers are quantized. */

import { Group, Select, Switch } from '../controls';
import { useText } from '../i18n';
import { CONTROLS } from '../locale/controls';
import { CONVERT } from '../locale/convert';
import { ACTIVATIONS } from '../shapes';
import { problemOf } from './rules';
import type { GroupProps } from './weights';
import { observerChoices } from './weights';

export function ActivationsGroup({ store, possible }: GroupProps) {
  const t = useText(CONTROLS);
  const title = useText(CONVERT)('activations');
  const options = store.options.value;
  const isImpossible = !possible.calibrated && options.activations === 'float32';
  const idle = !store.live || !possible.activations;
  return (
    <Group
      title={title}
      reason={possible.activations || isImpossible ? undefined : t('noActivations')}
    >
      <Select
        label={t('activations')}
        hint={t('activationsHint')}
        value={options.activations}
        options={ACTIVATIONS.map(value => ({ value: value as string, label: value }))}
        disabled={!store.live || isImpossible}
        reason={possible.calibrated ? undefined : t('activationsReason')}
        error={problemOf(store, 'activations')}
        onChange={activations => store.change({ activations }, true)}
      />
      <Select
        label={t('activationObserver')}
        hint={t('activationObserverHint')}
        value={options.activation_observer}
        options={observerChoices(t)}
        disabled={idle}
        error={problemOf(store, 'activation_observer')}
        onChange={activation_observer => store.change({ activation_observer }, true)}
      />
      <Switch
        label={t('simulate')}
        hint={t('simulateHint')}
        value={options.simulate}
        disabled={idle}
        error={problemOf(store, 'simulate')}
        onChange={simulate => store.change({ simulate }, true)}
      />
    </Group>
  );
}
