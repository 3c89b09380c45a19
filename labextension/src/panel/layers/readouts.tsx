/** The two numbers that everything is about, how small and how good, large enough to watch while a slider moves. */

import type { ReadonlySignal } from '@preact/signals';

import { leftOutOf } from '../core/leftOut';
import { leftOutText } from '../locale/leftOut';
import { useLive } from './live';
import type { LayersModel } from './model';
import { countText, decibelText, formatBytes, timesText } from './numbers';
import type { Words } from './words';

export function Readouts({ model, t }: { model: LayersModel; t: Words }) {
  const { store } = model;
  const size = useLive(() => formatBytes(store.prediction.value.weightBytes), [model]);
  const times = useLive(
    () => t('timesSmaller', { times: timesText(store.prediction.value.compression) }),
    [model, t]
  );
  const sqnr = useLive(() => decibelText(store.prediction.value.outputSqnrDb), [model]);
  const last = useLive(() => store.results.value.at(-1) ?? null, [model]);
  const shown = useLive(() => model.truth.value ?? last.value, [model]);
  const trueSize = useLive(
    () => shown.value && t('trueValue', { value: formatBytes(shown.value.weight_bytes) }),
    [model, t]
  );
  const trueSqnr = useLive(
    () => shown.value && t('trueValue', { value: decibelText(shown.value.sqnr_db) }),
    [model, t]
  );
  const stale = useLive(() => shown.value !== null && model.truth.value === null, [model]);
  const which = useLive(() => {
    if (shown.value === null) {
      return t('notApplied');
    }
    return t(stale.value ? 'appliedOther' : 'applied', { number: shown.value.number });
  }, [model, t]);
  const staleClass = useLive(
    () => (stale.value ? 'gs-Layers-truth gs-mod-stale' : 'gs-Layers-truth'),
    [model]
  );
  const mark = useLive(() => t(model.refined.value === null ? 'predicted' : 'refined'), [model, t]);
  return (
    <div class="gs-Layers-readouts">
      <dl>
        <div>
          <dt>{t('weightsSize')}</dt>
          <dd class="gs-Layers-number">{size}</dd>
          <dd>{times}</dd>
          <dd class={staleClass}>{trueSize}</dd>
        </div>
        <div>
          <dt>{t('outputSqnr')}</dt>
          <dd class="gs-Layers-number">{sqnr}</dd>
          <dd>{mark}</dd>
          <dd class={staleClass}>{trueSqnr}</dd>
        </div>
      </dl>
      <p class="gs-Layers-which">{which}</p>
      <Notes model={model} t={t} />
      <Spoken model={model} t={t} />
    </div>
  );
}

/** What the prediction leaves out, and what is still to come. */
function Notes({ model, t }: { model: LayersModel; t: Words }) {
  const { store } = model;
  const leftOut = useLive(
    () =>
      leftOutText(leftOutOf(store.options.value, store.sensitivity.value), store.language.value),
    [model]
  );
  const pending = useLive(
    () => store.prediction.value.layers.filter(layer => layer.pending).length,
    [model]
  );
  const text = useLive(() => {
    const parts = [];
    if (pending.value > 0) {
      parts.push(t(store.live ? 'pending' : 'pendingSaved', { count: countText(pending.value) }));
    }
    if (leftOut.value !== '') {
      parts.push(leftOut.value);
    }
    return parts.join(' ');
  }, [model, t]);
  return <p class="gs-Layers-notes">{text}</p>;
}

/** The numbers for screen readers, once nothing moves. */
function Spoken({ model, t }: { model: LayersModel; t: Words }) {
  const text: ReadonlySignal<string> = useLive(() => {
    const { weightBytes, compression, outputSqnrDb } = model.settled.value;
    const size = t('spokenSize', {
      size: formatBytes(weightBytes),
      times: timesText(compression)
    });
    return outputSqnrDb === null
      ? size
      : `${size} ${t('spokenSqnr', { sqnr: decibelText(outputSqnrDb) })}`;
  }, [model, t]);
  return (
    <p class="gs-Layers-spoken" role="status">
      {text}
    </p>
  );
}
