/** The whole panel: its heading, its tabs, and what it listens to. */

import { render } from 'preact';
import { useContext } from 'preact/hooks';

import { keepKeys } from '../keys';
import { BenchmarkTab } from './benchmarkTab';
import { CodeTab } from './codeTab';
import type { Connection } from './connection';
import { Button } from './controls';
import { ConvertTab } from './convertTab';
import { DEFAULTS, sameOptions } from './core/settings';
import { LanguageContext, useText } from './i18n';
import { LayersTab } from './layersTab';
import { APP } from './locale/app';
import { Store } from './store';
import { TabContext, Tabs, useTabOf } from './tabs';
import { TaskBar } from './taskBar';

/** Show a panel inside `host`; returns what takes it away. */
export function showPanel(host: HTMLElement, connection: Connection): () => void {
  const store = new Store(connection);
  const end = showStore(host, store);
  return () => {
    end();
    store.close();
  };
}

/** Show one more view of a store, which outlives it, inside `host`; returns what takes the view away. */
export function showStore(host: HTMLElement, store: Store): () => void {
  render(<App store={store} />, host);
  return () => render(null, host);
}

export function App({ store }: { store: Store }) {
  return (
    <LanguageContext.Provider value={store.language}>
      <TabContext.Provider value={useTabOf(store)}>
        <Panel store={store} />
      </TabContext.Provider>
    </LanguageContext.Provider>
  );
}

function Panel({ store }: { store: Store }) {
  const t = useText(APP);
  const tab = useContext(TabContext);
  const { network } = store;
  return (
    <section
      class="gs-Panel"
      lang={store.language.value === 'zh' ? 'zh-CN' : 'en'}
      aria-label={t('panel', { name: network.name })}
      data-lm-suppress-shortcuts="true"
      onFocusIn={keepKeys}
      onKeyDown={event => onShortcut(event, store)}
    >
      <Heading store={store} />
      {store.live ? null : (
        <p class="gs-Panel-saved" role="note">
          {t(store.isSaved ? 'saved' : 'lost')}
        </p>
      )}
      <Tabs
        label={t('tabs')}
        open={tab.value}
        onOpen={key => {
          tab.value = key;
        }}
        tabs={[
          { key: 'convert', label: t('convert'), content: () => <ConvertTab store={store} /> },
          { key: 'layers', label: t('layers'), content: () => <LayersTab store={store} /> },
          {
            key: 'benchmark',
            label: t('benchmark'),
            content: () => <BenchmarkTab store={store} />
          },
          { key: 'code', label: t('code'), content: () => <CodeTab store={store} /> }
        ]}
      />
      <TaskBar store={store} />
    </section>
  );
}

function Heading({ store }: { store: Store }) {
  const t = useText(APP);
  const isDefault = sameOptions(store.options.value, DEFAULTS);
  return (
    <header class="gs-Panel-heading">
      <h2>{store.network.name}</h2>
      <div class="gs-Panel-row">
        <Button
          label={t('undo')}
          hint={t('undoHint')}
          kind="quiet"
          disabled={!store.canUndo.value}
          onClick={() => store.undo()}
        >
          <Arrow />
        </Button>
        <Button
          label={t('redo')}
          hint={t('redoHint')}
          kind="quiet"
          disabled={!store.canRedo.value}
          onClick={() => store.redo()}
        >
          <Arrow mirrored />
        </Button>
        <Button
          label={t('reset')}
          hint={t('resetHint')}
          kind="quiet"
          disabled={isDefault || !store.live}
          onClick={() => store.change(DEFAULTS, true)}
        />
        <Button
          label={t('switchLanguage')}
          kind="quiet"
          onClick={() => store.setLanguage(store.language.value === 'zh' ? 'en' : 'zh')}
        >
          <span lang={t('otherLanguageCode')}>{t('otherLanguage')}</span>
        </Button>
      </div>
    </header>
  );
}

/** An arrow that turns back. */
function Arrow({ mirrored = false }: { mirrored?: boolean }) {
  return (
    <svg
      class={`gs-Panel-icon${mirrored ? ' gs-mod-mirrored' : ''}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d="M6 2 2 6l4 4M2 6h7.5a4 4 0 0 1 0 8H6" />
    </svg>
  );
}

/** Undo and redo; in a text that is being typed they stay the browser's own. */
function onShortcut(event: KeyboardEvent, store: Store): void {
  const key = event.key.toLowerCase();
  const isShortcut = (event.ctrlKey || event.metaKey) && !event.altKey;
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
  if (!isShortcut || isTyping || !(key === 'z' || key === 'y')) {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  if (key === 'y' || event.shiftKey) {
    store.redo();
  } else {
    store.undo();
  }
}
