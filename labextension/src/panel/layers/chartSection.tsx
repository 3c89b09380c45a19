/** The chart of all layers with what decides what it shows: which number, in which order, which names. */

import { LayersChart, MEASURES } from '../../charts';
import type { Measure } from '../../charts';
import { Button, Select, Switch } from '../controls';
import { useChart, useLive } from './live';
import type { LayersModel } from './model';
import type { Words } from './words';

interface Props {
  model: LayersModel;
  t: Words;
}

export function ChartSection({ model, t }: Props) {
  return (
    <section class="gs-Layers-chart" aria-label={t('chart')}>
      <div class="gs-Layers-tools">
        <MeasureSelect model={model} t={t} />
        <Switch
          label={t('worstFirst')}
          hint={t('worstFirstHint')}
          value={model.worstFirst.value}
          onChange={value => (model.worstFirst.value = value)}
        />
        <Find model={model} t={t} />
      </div>
      <Chart model={model} />
    </section>
  );
}

function MeasureSelect({ model, t }: Props) {
  return (
    <Select<Measure>
      label={t('show')}
      hint={t('showHint')}
      value={model.measure.value}
      options={MEASURES.map(value => ({ value, label: t(value) }))}
      onChange={value => (model.measure.value = value)}
    />
  );
}

/** Typing narrows the chart to the names that hold the words; Enter selects what is left. */
function Find({ model, t }: Props) {
  const { store } = model;
  const count = useLive(() => {
    const [shown, all] = [model.order.value.length, store.network.layers.length];
    return model.query.value === '' ? '' : t('shownOf', { shown, all });
  }, [model, t]);
  const selectShown = () => {
    if (model.query.peek() !== '' && model.order.peek().length > 0) {
      store.selected.value = [...model.order.peek()];
    }
  };
  return (
    <div class="gs-Layers-find">
      <input
        type="search"
        class="gs-Panel-input"
        aria-label={t('find')}
        placeholder={t('find')}
        spellcheck={false}
        autocomplete="off"
        value={model.query}
        onInput={event => (model.query.value = event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            selectShown();
          } else if (event.key === 'Escape' && model.query.peek() !== '') {
            model.query.value = '';
            event.stopPropagation();
          }
        }}
      />
      <output class="gs-Layers-count">{count}</output>
      <Button
        label={t('selectAll')}
        kind="quiet"
        hint={t('selectAllHint')}
        onClick={() => (store.selected.value = [...model.order.peek()])}
      />
    </div>
  );
}

function Chart({ model }: { model: LayersModel }) {
  const { store } = model;
  const place = useChart(
    host =>
      new LayersChart(
        host,
        {
          select: layers => (store.selected.value = layers),
          hover: layer => (store.hovered.value = layer)
        },
        store.language.peek()
      ),
    chart =>
      chart.update(model.layers.value, {
        measure: model.measure.value,
        order: model.order.value,
        selected: store.selected.value,
        hovered: store.hovered.value,
        language: store.language.value
      }),
    [model]
  );
  return <div ref={place} class="gs-Layers-canvas" />;
}
