/** Where models can run, and why not elsewhere: without it, a missing target would be a row of errors later. */

import { Switch } from '../controls';
import { useText } from '../i18n';
import { BENCHMARK } from '../locale/benchmark';
import type { BenchmarkState } from '../types';
import type { Target } from './form';
import { ENGINES, TARGETS } from './form';

type FoundPlaces = NonNullable<BenchmarkState['targets']>;

export function TargetChoices({
  places,
  chosen,
  disabled,
  onChange
}: {
  /** null before they were looked for: then any may be chosen. */
  places: FoundPlaces | null;
  chosen: readonly Target[];
  disabled: boolean;
  onChange: (target: Target, wanted: boolean) => void;
}) {
  const t = useText(BENCHMARK);
  return (
    <>
      {TARGETS.map(target => {
        const missing =
          places !== null && !places.some(place => place.target === target && place.available);
        const wanted = chosen.includes(target);
        return (
          <Switch
            key={target}
            label={t(target)}
            value={wanted}
            // One that was chosen before it turned out to be missing can be taken back.
            disabled={disabled || (missing && !wanted)}
            reason={missing ? t('targetMissing') : undefined}
            onChange={value => onChange(target, value)}
          />
        );
      })}
    </>
  );
}

/** What was found, each missing one with its reason. */
export function Places({ places, open }: { places: FoundPlaces; open: boolean }) {
  const t = useText(BENCHMARK);
  return (
    <details class="gs-Panel-places" open={open}>
      <summary>{t('places')}</summary>
      <div class="gs-Panel-scroller" tabIndex={0} role="region" aria-label={t('places')}>
        <table class="gs-Panel-table">
          <thead>
            <tr>
              <th scope="col">{t('targets')}</th>
              <th scope="col">{t('engines')}</th>
              <th scope="col">{t('found')}</th>
            </tr>
          </thead>
          <tbody>
            {places.map(({ target, engine, available, device, reason }, index) => (
              <tr key={index} class={available ? 'gs-mod-found' : 'gs-mod-missing'}>
                <th scope="row">{titleOf(target, TARGETS)}</th>
                <td>{titleOf(engine, ENGINES)}</td>
                <td>
                  <strong>{available ? t('found') : t('missing')}</strong>{' '}
                  <span>{available ? device : reason}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );

  /** A name of the catalog, or the word that a newer kernel sent. */
  function titleOf(name: string, known: readonly (Target | (typeof ENGINES)[number])[]): string {
    const key = known.find(item => item === name);
    return key === undefined ? name : t(key);
  }
}
