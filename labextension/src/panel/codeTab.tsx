/** The Code tab: the panel's state as a cell to keep, and the last conversion as a file. */

import type { Ref } from 'preact';
import { useRef, useState } from 'preact/hooks';

import { copyTextOf } from './clipboard';
import { Export } from './code/export';
import { Button, Group } from './controls';
import { useText } from './i18n';
import { CODE } from './locale/code';
import { askNotebook, INSERT_CELL } from './notebookEvents';
import type { Store } from './store';

export function CodeTab({ store }: { store: Store }) {
  return (
    <div class="gs-Panel-codeTab">
      <Code store={store} />
      <Export store={store} />
    </div>
  );
}

type Said = 'copied' | 'selected' | 'inserted' | 'copiedInstead' | null;

function Code({ store }: { store: Store }) {
  const t = useText(CODE);
  const text = useRef<HTMLElement>(null);
  const code = store.code.value;
  // What was said belongs to the code that it was said of.
  const [said, setSaid] = useState<{ of: string; what: Said }>({ of: '', what: null });
  const say = (what: Said) => setSaid({ of: code, what });
  const copy = async (done: Said) => {
    if (text.current !== null) {
      say((await copyTextOf(text.current)) ? done : 'selected');
    }
  };
  const insert = async () => {
    const kernelId = store.task.value.kernel_id;
    if (text.current !== null && askNotebook(text.current, INSERT_CELL, { code, kernelId })) {
      say('inserted');
    } else {
      await copy('copiedInstead');
    }
  };
  const what = said.of === code ? said.what : null;
  return (
    <Group title={t('codeTitle')}>
      <p class="gs-Panel-remark">{t('codeHint')}</p>
      {code === '' ? <p>{t('noCode')}</p> : <CodeText code={code} text={text} label={t('code')} />}
      <div class="gs-Panel-row">
        <Button
          label={t('copy')}
          hint={t('copyHint')}
          kind="primary"
          disabled={code === ''}
          onClick={() => void copy('copied')}
        />
        <Button
          label={t('newCell')}
          hint={t('newCellHint')}
          disabled={code === ''}
          onClick={() => void insert()}
        />
        <span role="status">{what === null ? '' : t(what)}</span>
      </div>
    </Group>
  );
}

/** Scrolls where a line is too long, and so takes the focus. */
function CodeText({ code, text, label }: { code: string; text: Ref<HTMLElement>; label: string }) {
  return (
    <pre class="gs-Panel-code" tabIndex={0} role="region" aria-label={label}>
      <code ref={text} translate={false}>
        {code}
      </code>
    </pre>
  );
}
