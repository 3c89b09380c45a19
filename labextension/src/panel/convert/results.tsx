/** What Apply found, beside what was predicted: without it nobody would know how far to trust a prediction. */

import { useContext, useEffect, useRef, useState } from 'preact/hooks';

import { reportView } from '../../report';
import { Button } from '../controls';
import { leftOutOf } from '../core/leftOut';
import { LanguageContext, useText } from '../i18n';
import { decibelText, formatBytes, NOTHING, percentText } from '../layers/numbers';
import { CONVERT } from '../locale/convert';
import { leftOutText } from '../locale/leftOut';
import type { Result } from '../types';
import type { FormStore } from './form';

export function Results({ store }: { store: FormStore }) {
  const t = useText(CONVERT);
  const results = [...store.results.value].reverse();
  if (results.length === 0) {
    return null;
  }
  const [last, ...earlier] = results;
  return (
    <section class="gs-Panel-results" aria-label={t('results')}>
      <h3>{t('results')}</h3>
      <OneResult key={last.number} store={store} result={last} />
      {earlier.length > 0 ? (
        <details>
          <summary>
            {t('earlier')} ({earlier.length})
          </summary>
          {earlier.map(result => (
            <OneResult key={result.number} store={store} result={result} />
          ))}
        </details>
      ) : null}
    </section>
  );
}

function OneResult({ store, result }: { store: FormStore; result: Result }) {
  const t = useText(CONVERT);
  const title = t('resultTitle', { number: result.number, title: result.title });
  return (
    <article class="gs-Panel-result">
      <h4>{title}</h4>
      <div class="gs-Panel-scroller" tabindex={0} role="region" aria-label={title}>
        <table class="gs-Panel-table">
          <thead>
            <tr>
              <td />
              <th scope="col">{t('predicted')}</th>
              <th scope="col">{t('found')}</th>
              <th scope="col">{t('before')}</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{t('outputSqnr')}</th>
              <td>{decibelText(result.predicted_db)}</td>
              <td>{decibelText(result.sqnr_db)}</td>
              <td />
            </tr>
            <tr>
              <th scope="row">{t('weightsSize')}</th>
              <td>{predictedSize(store, result)}</td>
              <td>{formatBytes(result.weight_bytes)}</td>
              <td>{formatBytes(store.network.float_bytes)}</td>
            </tr>
            <tr>
              <th scope="row">{t('modelSize')}</th>
              <td>{NOTHING}</td>
              <td>
                {formatBytes(result.size_bytes)} (
                {percentText(result.size_bytes / Math.max(1, result.source_bytes))})
              </td>
              <td>{formatBytes(result.source_bytes)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <LeftOut store={store} result={result} />
      <p>
        {t('verification')}: {result.verification}
      </p>
      {result.bound_to === null ? null : <p>{t('bound', { name: result.bound_to })}</p>}
      {result.notes.length > 0 ? (
        <ul class="gs-Panel-notes">
          {result.notes.map((note, index) => (
            <li key={index}>{note}</li>
          ))}
        </ul>
      ) : null}
      <div class="gs-Panel-row">
        <Button
          label={t('restore')}
          hint={t('restoreHint')}
          onClick={() => store.change(result.options, true)}
        />
      </div>
      {result.document === null || result.document === undefined ? null : (
        <Report title={t('report')} document={result.document} />
      )}
    </article>
  );
}

/** Why the output may differ from its prediction, where there was one. */
function LeftOut({ store, result }: { store: FormStore; result: Result }) {
  const language = useContext(LanguageContext).value;
  const keys = leftOutOf(result.options, store.sensitivity.value);
  return result.predicted_db === null || keys.length === 0 ? null : (
    <p class="gs-Panel-remark">{leftOutText(keys, language)}</p>
  );
}

/** The bytes that the result's options were predicted to take; a search by loss is not predicted. */
function predictedSize(store: FormStore, result: Result): string {
  const needsSensitivity = result.options.budget !== null;
  if (result.options.max_drop !== null || (needsSensitivity && store.sensitivity.value === null)) {
    return NOTHING;
  }
  return formatBytes(store.predictor.predict(result.options).weightBytes);
}

function Report({ title, document }: { title: string; document: unknown }) {
  const [isOpen, setIsOpen] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isOpen) {
      host.current?.replaceChildren(reportView(document));
    }
  }, [isOpen, document]);
  return (
    <details onToggle={event => setIsOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      <div ref={host} />
    </details>
  );
}
