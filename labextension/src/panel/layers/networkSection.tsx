/** The sliders of the whole network beside what they lead to. */

import { useMemo } from 'preact/hooks';

import { Button } from '../controls';
import type { Store } from '../store';
import { BudgetControl, MeasurePlace } from './budgetControl';
import { useLive } from './live';
import type { LayersModel } from './model';
import { Readouts } from './readouts';
import { BitsControl, ClippingControl } from './settingControls';
import { networkTarget } from './target';
import type { Words } from './words';

export function NetworkSection({ model, t }: { model: LayersModel; t: Words }) {
  const { store } = model;
  const target = useMemo(() => networkTarget(store), [store]);
  return (
    <section class="gs-Layers-network" aria-label={t('wholeNetwork')}>
      <div class="gs-Layers-sliders">
        <BitsControl target={target} t={t} />
        <ClippingControl target={target} t={t} />
        <BudgetControl store={store} t={t} />
      </div>
      <div class="gs-Layers-outcome">
        <Readouts model={model} t={t} />
        <MeasurePlace store={store} t={t} />
      </div>
      <Overrides store={store} t={t} />
    </section>
  );
}

/** The way back from what was set for single layers. It has its place before there is one: nothing below may jump. */
function Overrides({ store, t }: { store: Store; t: Words }) {
  const count = useLive(() => Object.keys(store.options.value.layers).length, [store]).value;
  const said = count === 0 ? 'noOverrides' : count === 1 ? 'oneOverride' : 'overrides';
  return (
    <div class="gs-Layers-overrides">
      <span>{t(said, { count })}</span>
      <Button
        label={t('resetAll')}
        hint={t('resetAllHint')}
        kind="quiet"
        disabled={count === 0}
        onClick={() => store.change({ layers: {} }, true)}
      />
    </div>
  );
}
