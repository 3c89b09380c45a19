/** Runs a benchmark, says how far it is, and shows what it found. */

import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { reportView } from '../../report';
import { Button } from '../controls';
import { useText } from '../i18n';
import { BENCHMARK } from '../locale/benchmark';
import { askNotebook, INTERRUPT } from '../notebookEvents';
import type { Store } from '../store';
import type { Plan } from './form';

export function Run({ store, plan }: { store: Store; plan: Plan }) {
  const t = useText(BENCHMARK);
  const running = isRunning(store);
  const reason = whyNot();
  return (
    <div class="gs-Panel-run">
      {store.live && !running && plan.rows > 0 ? (
        <p class="gs-Panel-remark">
          {t('cost', {
            rows: plan.rows,
            duration: plan.command.duration_s,
            time: inWords(plan.seconds),
            processes: plan.processes
          })}
        </p>
      ) : null}
      <div class="gs-Panel-row">
        {running ? (
          <Stop store={store} />
        ) : (
          <Button
            label={t('run')}
            kind="primary"
            hint={reason}
            disabled={reason !== undefined}
            onClick={() => store.send(plan.command)}
          />
        )}
        <span role="status">{running ? t('measuring') : said()}</span>
      </div>
    </div>
  );

  function whyNot(): string | undefined {
    if (!store.live) {
      return t('saved');
    }
    const wrong = Object.values(plan.wrong)[0];
    return store.busy.value ? t('busy') : wrong && t(wrong);
  }

  function said(): string {
    const { state } = store.benchmark.value;
    return state === 'complete' ? t('complete') : state === 'stopped' ? t('stopped') : '';
  }

  function inWords(seconds: number): string {
    return seconds < 90
      ? t('seconds', { number: Math.ceil(seconds) })
      : t('minutes', { number: Math.ceil(seconds / 60) });
  }
}

/** The rows as they come, and the report in their place at the end. */
export function Measured({ store }: { store: Store }) {
  const t = useText(BENCHMARK);
  const { live, document: report } = store.benchmark.value;
  const running = isRunning(store);
  if (running ? live === '' : !report) {
    return null;
  }
  return (
    <section aria-label={t('report')}>
      {running ? <pre class="gs-Panel-live">{live}</pre> : <Report document={report} />}
    </section>
  );
}

/** Ends the benchmark as the kernel can be reached: a busy one only by an interrupt, which a notebook sends. */
function Stop({ store }: { store: Store }) {
  const t = useText(BENCHMARK);
  const place = useRef<HTMLSpanElement>(null);
  const [said, setSaid] = useState('');
  const stop = () => {
    const { cancelled_by, kernel_id: kernelId } = store.task.value;
    if (cancelled_by === 'message' || store.asked.value !== null) {
      store.send({ command: 'cancel' });
      setSaid(t('stopping'));
    } else {
      const answered =
        place.current !== null && askNotebook(place.current, INTERRUPT, { kernelId });
      setSaid(t(answered ? 'stopping' : 'useInterrupt'));
    }
  };
  return (
    <span ref={place} class="gs-Panel-row">
      <Button label={t('stop')} hint={t('stopHint')} onClick={stop} />
      <span role="status">{said}</span>
    </span>
  );
}

function isRunning(store: Store): boolean {
  const { kind, state } = store.task.value;
  return (
    store.asked.value?.command === 'benchmark' ||
    (kind === 'benchmark' && (state === 'running' || state === 'waiting'))
  );
}

function Report({ document: report }: { document: unknown }) {
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => host.current?.replaceChildren(reportView(report)), [report]);
  return <div ref={host} />;
}
