/** Whether all layers have the same bits, or those that a size or a loss allows. */

import { useRef } from 'preact/hooks';

import { CalmSlider, Group, Select, TextField } from '../controls';
import { parseBudget, parseMaxDrop } from '../core/budget';
import { useText } from '../i18n';
import { formatBytes, timesText } from '../layers/numbers';
import { CONTROLS } from '../locale/controls';
import { CONVERT } from '../locale/convert';
import type { Options } from '../types';
import type { FormStore } from './form';
import { problemOf } from './rules';
import { ratioText, ratiosBetween } from './sizes';
import type { GroupProps } from './weights';

type Mode = 'none' | 'budget' | 'drop';

const FIRST_BUDGET = '6x';
const FIRST_DROP = '30dB';

export function BitsGroup({ store }: GroupProps) {
  const t = useText(CONTROLS);
  const c = useText(CONVERT);
  const options = store.options.value;
  const mode: Mode =
    options.budget !== null ? 'budget' : options.max_drop !== null ? 'drop' : 'none';
  // A format for all layers and chosen bits exclude each other; going back brings the format back.
  const format = useRef('int8');
  return (
    <Group title={c('bits')}>
      <Select
        label={t('bits')}
        hint={t('bitsHint')}
        value={mode}
        options={[
          { value: 'none', label: t('bitsNone') },
          { value: 'budget', label: t('bitsBudget') },
          { value: 'drop', label: t('bitsDrop') }
        ]}
        disabled={!store.live}
        onChange={chosen => {
          if (mode === 'none') {
            format.current = options.weights;
          }
          store.change(modeOptions(chosen, format.current), true);
        }}
      />
      {mode === 'budget' ? <Budget store={store} /> : null}
      {mode === 'drop' ? (
        <TextField
          label={t('maxDrop')}
          hint={t('maxDropHint')}
          value={options.max_drop ?? ''}
          disabled={!store.live}
          check={text => (parseMaxDrop(text) === null ? t('maxDropWrong') : '')}
          error={problemOf(store, 'max_drop')}
          onCommit={text => store.change({ max_drop: text.trim() }, true)}
        />
      ) : null}
      {mode === 'drop' ? <p class="gs-Panel-remark">{dropRemark()}</p> : null}
      {mode === 'budget' && store.sensitivity.value === null ? (
        <p class="gs-Panel-remark">{c('needsMeasuring')}</p>
      ) : null}
    </Group>
  );

  function dropRemark(): string {
    const isAccuracy = options.max_drop?.endsWith('%') ?? false;
    return isAccuracy ? `${c('dropAtApply')} ${t('maxDropLabels')}` : c('dropAtApply');
  }
}

function modeOptions(mode: Mode, format: string): Partial<Options> {
  switch (mode) {
    case 'none':
      return { budget: null, max_drop: null, weights: format };
    case 'budget':
      return { budget: FIRST_BUDGET, max_drop: null, weights: 'float32' };
    case 'drop':
      return { budget: null, max_drop: FIRST_DROP, weights: 'float32' };
  }
}

function Budget({ store }: { store: FormStore }) {
  const t = useText(CONTROLS);
  const { float_bytes } = store.network;
  const { smallestBytes, largestBytes } = store.prediction.value;
  const budget = store.options.value.budget ?? '';
  const bytes = parseBudget(budget, float_bytes);
  const ratios = ratiosBetween(smallestBytes, largestBytes, float_bytes);
  // A ratio as it was written, since whole bytes of tiny networks make another one.
  const written = /^([\d.]+)\s*x$/i.exec(budget.trim())?.[1];
  const ratio = Number(written ?? (bytes === null ? 1 : float_bytes / bytes));
  return (
    <>
      {ratios === null ? null : (
        <CalmSlider
          label={t('budget')}
          hint={t('budgetHint')}
          value={Math.min(Math.max(ratio, ratios.low), ratios.high)}
          min={ratios.low}
          max={ratios.high}
          step={0.1}
          format={() => `${timesText(ratio)}, ${formatBytes(bytes ?? float_bytes)}`}
          onInput={value => store.change({ budget: ratioText(value) }, false)}
          onCommit={value => store.change({ budget: ratioText(value) }, true)}
        />
      )}
      <TextField
        label={t('budgetText')}
        hint={t('budgetTextHint')}
        value={budget}
        disabled={!store.live}
        check={text => (parseBudget(text, float_bytes) === null ? t('budgetWrong') : '')}
        error={problemOf(store, 'budget')}
        onCommit={text => store.change({ budget: text.trim() }, true)}
      />
    </>
  );
}
