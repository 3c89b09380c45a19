/** Writes the last conversion to a file, and lists what was written. */

import type { Signal } from '@preact/signals';
import { signal } from '@preact/signals';

import { formatBytes } from '../../format';
import { Button, Group, Switch, TextField } from '../controls';
import { sameOptions } from '../core/settings';
import { useText } from '../i18n';
import { useLive } from '../layers/live';
import { CODE } from '../locale/code';
import type { Store } from '../store';
import { adviceOf } from './advice';

interface Form {
  /** null before anything was typed: then there is a suggestion. */
  path: string | null;
  overwrite: boolean;
  float16: boolean;
}

const EMPTY: Form = { path: null, overwrite: false, float16: false };
const FORMS = new WeakMap<Store, Signal<Form>>();

export function Export({ store }: { store: Store }) {
  const t = useText(CODE);
  const form = formOf(store);
  const change = (patch: Partial<Form>) => {
    form.value = { ...form.value, ...patch };
  };
  const suggestions = suggestedPaths(store);
  const path = form.value.path ?? suggestions[0];
  const takesFloat16 = /\.(onnx|ms)\s*$/i.test(path);
  const reason = whyNot();
  const problem = store.problem.value;
  const exporting = isExporting(store);
  return (
    <Group title={t('exportTitle')}>
      <TextField
        label={t('path')}
        hint={t('pathHint')}
        value={path}
        list={suggestions}
        disabled={!store.live}
        error={
          problem?.command === 'export'
            ? `${problem.message} ${adviceOf(problem, store.language.value)}`.trim()
            : ''
        }
        onInput={text => change({ path: text })}
      />
      <Switch
        label={t('overwrite')}
        value={form.value.overwrite}
        disabled={!store.live}
        onChange={overwrite => change({ overwrite })}
      />
      <Switch
        label={t('float16')}
        hint={t('float16Hint')}
        value={takesFloat16 && form.value.float16}
        disabled={!store.live || !takesFloat16}
        reason={takesFloat16 ? undefined : t('float16Reason')}
        onChange={float16 => change({ float16 })}
      />
      <Written store={store} />
      <div class="gs-Panel-row">
        <Button
          label={exporting ? t('exporting') : t('export')}
          kind="primary"
          hint={reason}
          disabled={reason !== undefined}
          onClick={() => {
            const { overwrite, float16 } = form.value;
            store.send({
              command: 'export',
              path: path.trim(),
              overwrite,
              float16: takesFloat16 && float16
            });
          }}
        />
      </div>
      <Exported store={store} />
    </Group>
  );

  function whyNot(): string | undefined {
    if (!store.live) {
      return t('exportSaved');
    }
    if (store.busy.value) {
      return t('exportBusy');
    }
    if (store.results.value.length === 0) {
      return t('exportFirst');
    }
    return path.trim() === '' ? t('exportPath') : undefined;
  }
}

/** Which conversion a file will hold: options may have been changed since it was applied. */
function Written({ store }: { store: Store }) {
  const t = useText(CODE);
  const last = store.results.value.at(-1);
  const isStale = useLive(
    () => last !== undefined && !sameOptions(last.options, store.options.value),
    [store, last]
  ).value;
  if (last === undefined || !store.live) {
    return null;
  }
  const { number, title } = last;
  return isStale ? (
    <p class="gs-Panel-error">{t('writesOther', { number, title })}</p>
  ) : (
    <p class="gs-Panel-remark">{t('writes', { number, title })}</p>
  );
}

function Exported({ store }: { store: Store }) {
  const t = useText(CODE);
  const files = store.exported.value;
  if (files.length === 0) {
    return null;
  }
  return (
    <ul class="gs-Panel-exported" aria-label={t('exported')}>
      {files.map(({ path, size_bytes, summary }, index) => (
        <li key={index}>
          <code translate={false}>{path}</code> {formatBytes(size_bytes)}
          {summary === '' ? null : <small>{summary}</small>}
        </li>
      ))}
    </ul>
  );
}

/** The form of a panel, which stays while other tabs are open. */
function formOf(store: Store): Signal<Form> {
  const form = FORMS.get(store) ?? signal(EMPTY);
  FORMS.set(store, form);
  return form;
}

/** Names for a file in each format, after the network's. */
function suggestedPaths({ network }: Store): string[] {
  const stem = network.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return ['mindir', 'onnx', 'ms'].map(format => `${stem || 'network'}.${format}`);
}

function isExporting(store: Store): boolean {
  const { kind, state } = store.task.value;
  const isActive = state === 'running' || state === 'waiting';
  return store.asked.value?.command === 'export' || (kind === 'export' && isActive);
}
