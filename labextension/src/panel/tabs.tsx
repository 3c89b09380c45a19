/** Tabs as ARIA describes them: one stop for the Tab key, arrows between them. */

import type { Signal } from '@preact/signals';
import { effect, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';

import { useHintId } from './controls/hint';
import type { Store, Tab } from './store';

/** The tab that is open in the view that a component stands in. */
export const TabContext = createContext<Signal<Tab>>(signal('convert'));

/** A view's own open tab, so that two views can show two tabs; a new view begins where one was last. */
export function useTabOf(store: Store): Signal<Tab> {
  const tab = useMemo(() => signal(store.tab.peek()), [store]);
  useEffect(
    () =>
      effect(() => {
        store.tab.value = tab.value;
      }),
    [store, tab]
  );
  return tab;
}

export interface TabProps<Key extends string> {
  key: Key;
  label: string;
  content: () => ComponentChildren;
}

export function Tabs<Key extends string>({
  label,
  tabs,
  open,
  onOpen
}: {
  label: string;
  tabs: readonly TabProps<Key>[];
  open: Key;
  onOpen: (key: Key) => void;
}) {
  const id = useHintId();
  const list = useRef<HTMLDivElement>(null);
  // What was open once stays: half-filled forms and the places of scrollbars are somebody's work.
  const opened = useRef(new Set<Key>());
  opened.current.add(open);
  const onKeyDown = (event: KeyboardEvent) => {
    const now = tabs.findIndex(tab => tab.key === open);
    const next = neighbour(event.key, now, tabs.length);
    if (next !== null) {
      event.preventDefault();
      event.stopPropagation();
      onOpen(tabs[next].key);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[next].focus();
    }
  };
  return (
    <>
      <div ref={list} class="gs-Panel-tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(tab => (
          <button
            key={tab.key}
            type="button"
            role="tab"
            id={`${id}-tab-${tab.key}`}
            aria-selected={tab.key === open}
            aria-controls={`${id}-${tab.key}`}
            tabIndex={tab.key === open ? 0 : -1}
            onClick={() => onOpen(tab.key)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      {tabs.map(tab => (
        <div
          key={tab.key}
          class="gs-Panel-tab"
          role="tabpanel"
          id={`${id}-${tab.key}`}
          aria-labelledby={`${id}-tab-${tab.key}`}
          hidden={tab.key !== open}
        >
          {opened.current.has(tab.key) ? tab.content() : null}
        </div>
      ))}
    </>
  );
}

function neighbour(key: string, now: number, count: number): number | null {
  switch (key) {
    case 'ArrowRight':
      return (now + 1) % count;
    case 'ArrowLeft':
      return (now + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
