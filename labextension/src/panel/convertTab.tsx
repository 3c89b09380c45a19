/** The Convert tab: every option of a conversion, what is known of the network, and what Apply found. */

import { useContext, useMemo } from 'preact/hooks';

import { ActivationsGroup } from './convert/activations';
import { BitsGroup } from './convert/bits';
import { CorrectionsGroup } from './convert/corrections';
import type { FormStore } from './convert/form';
import { formOf } from './convert/form';
import { NetworkFacts } from './convert/networkFacts';
import { Results } from './convert/results';
import { possibleWith, problemOf } from './convert/rules';
import { WeightsGroup } from './convert/weights';
import { Button, Group } from './controls';
import { useText } from './i18n';
import { CONVERT } from './locale/convert';
import { NoLayers } from './noLayers';
import type { Store } from './store';
import { TabContext } from './tabs';
import type { Override } from './types';

/** How many overrides are named. */
const MOST_NAMED = 6;

export function ConvertTab({ store }: { store: Store }) {
  const tab = useContext(TabContext);
  const form = useMemo(() => formOf(store, () => tab.value === 'convert'), [store, tab]);
  return <ConvertForm store={form} />;
}

function ConvertForm({ store }: { store: FormStore }) {
  const possible = possibleWith(store.options.value, store.network);
  return (
    <div class="gs-Panel-convert">
      <NetworkFacts network={store.network} />
      {store.network.layers.length === 0 ? (
        <NoLayers />
      ) : (
        <div class="gs-Panel-groups">
          <WeightsGroup store={store} possible={possible} />
          <ActivationsGroup store={store} possible={possible} />
          <CorrectionsGroup store={store} possible={possible} />
          <BitsGroup store={store} possible={possible} />
          <Overrides store={store} />
        </div>
      )}
      <Results store={store} />
    </div>
  );
}

/** What single layers have of their own; they are changed in the Layers tab. */
function Overrides({ store }: { store: FormStore }) {
  const t = useText(CONVERT);
  const tab = useContext(TabContext);
  const overrides = Object.entries(store.options.value.layers);
  const problem = problemOf(store, 'layers');
  if (overrides.length === 0 && problem === undefined) {
    return null;
  }
  const more = overrides.length - MOST_NAMED;
  const named = overrides.slice(0, MOST_NAMED).map(([name, override]) => inWords(name, override));
  return (
    <Group title={t('overrides')}>
      <ul class="gs-Panel-overrides">
        {named.map(line => (
          <li key={line}>{line}</li>
        ))}
        {more > 0 ? <li>… +{more}</li> : null}
      </ul>
      {problem === undefined ? null : <small class="gs-Panel-error">{problem}</small>}
      <div class="gs-Panel-row">
        <Button
          label={t('overridesEdit')}
          onClick={() => {
            tab.value = 'layers';
          }}
        />
      </div>
    </Group>
  );
}

function inWords(name: string, override: Override): string {
  const values = Object.entries(override).map(([key, value]) =>
    key === 'weights' ? String(value) : `${key} ${value}`
  );
  return `${name}: ${values.join(', ')}`;
}
