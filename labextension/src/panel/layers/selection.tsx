/** The selected layers: what is known of them, what their values look like, and their own settings. */

import { useMemo } from 'preact/hooks';

import { Button } from '../controls';
import type { Store } from '../store';
import { LayerFacts, LayersFacts } from './facts';
import { InputHistogram, WeightHistogram } from './histograms';
import { useLive } from './live';
import type { LayersModel } from './model';
import { BitsControl, ClippingControl, GranularityControl } from './settingControls';
import { layersTarget } from './target';
import type { Words } from './words';

interface Props {
  model: LayersModel;
  t: Words;
}

export function SelectionSection({ model, t }: Props) {
  const { store } = model;
  const selected = store.selected.value.filter(layer => layer in store.network.layers);
  if (selected.length === 0) {
    return (
      <section class="gs-Layers-selection" aria-label={t('selection')}>
        <p class="gs-Layers-empty">{t('nothingSelected')}</p>
      </section>
    );
  }
  const first = selected[0];
  const one = selected.length === 1 ? store.network.layers[first] : null;
  // A new selection gets new controls: what waits in the old ones is for the old layers.
  const key = selected.join(' ');
  return (
    <section class="gs-Layers-selection" aria-label={t('selection')}>
      <h3>{one?.name ?? t('severalSelected', { count: selected.length })}</h3>
      <div class="gs-Layers-columns">
        <div>
          {one === null ? (
            <LayersFacts key={`facts ${key}`} model={model} layers={selected} t={t} />
          ) : (
            <LayerFacts key={`facts ${key}`} model={model} layer={first} t={t} />
          )}
          <OwnControls key={`own ${key}`} store={store} layers={selected} t={t} />
        </div>
        <div>
          <WeightHistogram key={`weights ${first}`} store={store} layer={first} t={t} />
          {store.network.layers[first].activation !== null ? (
            <InputHistogram key={`input ${first}`} store={store} layer={first} t={t} />
          ) : null}
        </div>
      </div>
    </section>
  );
}

/** Controls of these layers alone, and the ways back. */
function OwnControls({ store, layers, t }: { store: Store; layers: number[]; t: Words }) {
  const target = useMemo(() => layersTarget(store, layers), [store]);
  const names = useMemo(
    () => new Set(layers.flatMap(layer => store.network.layers[layer].names)),
    [store]
  );
  const own = useLive(
    () => Object.keys(store.options.value.layers).some(name => names.has(name)),
    [store]
  );
  const fixed = target.fixed.value;
  const kept = target.format.value === 'float32';
  return (
    <div class="gs-Layers-own" role="group" aria-label={t('ownSettings')}>
      <BitsControl target={target} t={t} />
      <ClippingControl target={target} t={t} />
      <div class="gs-Layers-control">
        <GranularityControl target={target} t={t} />
        <div class="gs-Layers-actions">
          <Button
            label={t('keep')}
            hint={t('keepHint')}
            disabled={fixed || kept}
            onClick={() => target.change({ weights: 'float32' }, true)}
          />
          <Button
            label={t('reset')}
            hint={t('resetHint')}
            disabled={!own.value}
            onClick={() => store.changeLayers(layers, null, true)}
          />
          <Button
            label={t('undo')}
            hint={t('undoHint')}
            disabled={!store.canUndo.value}
            onClick={() => store.undo()}
          />
        </div>
      </div>
    </div>
  );
}
