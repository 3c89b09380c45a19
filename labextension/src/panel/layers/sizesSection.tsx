/** The curve of size and quality: where the network is, and what else its size could give. */

import { CurveChart } from '../../charts';
import type { CurveData } from '../../charts';
import { useChart, useLive } from './live';
import type { LayersModel } from './model';
import type { Words } from './words';

interface Props {
  model: LayersModel;
  t: Words;
}

/** Nothing before there is a point to show: what is missing is said where it can be measured. */
export function SizesSection({ model, t }: Props) {
  const { sensitivity, results } = model.store;
  const empty = sensitivity.value === null && results.value.length === 0;
  return empty ? null : <Sizes model={model} t={t} />;
}

function Sizes({ model, t }: Props) {
  const { store } = model;
  const truths = useLive<CurveData['truths']>(
    () =>
      store.results.value.map(({ number, weight_bytes, sqnr_db }) => ({
        bytes: weight_bytes,
        sqnrDb: sqnr_db,
        label: t('conversion', { number })
      })),
    [model, t]
  );
  const place = useChart(
    host => new CurveChart(host, store.language.peek()),
    chart => {
      const { weightBytes, outputSqnrDb } = store.prediction.value;
      chart.update({
        ...model.sizes.value,
        now: outputSqnrDb === null ? null : { bytes: weightBytes, sqnrDb: outputSqnrDb },
        truths: truths.value,
        language: store.language.value
      });
    },
    [model, t]
  );
  return (
    <section class="gs-Layers-sizes" aria-label={t('sizes')}>
      <h3>{t('sizes')}</h3>
      <div ref={place} />
    </section>
  );
}
