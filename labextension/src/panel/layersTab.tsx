/** The Layers tab: what quantization does to each layer, and the sliders that change it while one looks. */

import { useLayoutEffect, useMemo } from 'preact/hooks';

import { ChartSection } from './layers/chartSection';
import { LayersTable } from './layers/layersTable';
import { LayersModel } from './layers/model';
import { NetworkSection } from './layers/networkSection';
import { SelectionSection } from './layers/selection';
import { SizesSection } from './layers/sizesSection';
import { useWords } from './layers/words';
import { NoLayers } from './noLayers';
import type { Store } from './store';

export function LayersTab({ store }: { store: Store }) {
  return store.network.layers.length === 0 ? <NoLayers /> : <Layers store={store} />;
}

function Layers({ store }: { store: Store }) {
  const model = useMemo(() => new LayersModel(store), [store]);
  useLayoutEffect(() => () => model.dispose(), [model]);
  const t = useWords(store);
  return (
    <div class="gs-Layers">
      <NetworkSection model={model} t={t} />
      <ChartSection model={model} t={t} />
      <SelectionSection model={model} t={t} />
      <SizesSection model={model} t={t} />
      <LayersTable model={model} t={t} />
    </div>
  );
}
