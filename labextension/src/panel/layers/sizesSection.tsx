/** The curve of size and quality: where the network is, and what else its size could give. */

import { CurveChart } from '../../charts';
import type { CurveData } from '../../charts';
import { useChart, useLive } from './live';
import type { LayersModel } from './model';
import type { Words } from './words';

export function SizesSection({ model, t }: { model: LayersModel; t: Words }) {
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
