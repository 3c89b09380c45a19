/** Shows a panel out of a notebook, with no kernel: without it, what was seen would be gone when it is opened again. */

import { element } from '../dom';
import { showPanel } from './app';
import { SavedConnection } from './connection';
import type { Language } from './i18n';
import { pageLanguage, textIn } from './i18n';
import { APP } from './locale/app';
import { readSaved, VERSION } from './reading';

/** How many unreadable places are named. */
const MOST_NAMED = 5;

/** Show a saved state, or why it can't be shown, inside `host`; returns what takes it away. Never throws. */
export function showSaved(host: HTMLElement, saved: unknown): () => void {
  const t = textIn(APP, pageLanguage());
  const { state, unreadable, otherVersion } = readSaved(saved);
  if (otherVersion !== null) {
    return showMessage(host, t('otherVersion', { version: otherVersion, known: VERSION }));
  }
  if (state === null) {
    return showMessage(host, t('empty'));
  }
  const place = element('div');
  const language: Language = state.language === 'auto' ? pageLanguage() : state.language;
  const remark = element('p', { className: 'gs-Panel gs-Panel-unreadable' });
  remark.textContent = textIn(APP, language)('unreadable', { places: named(unreadable) });
  host.replaceChildren(...(unreadable.length > 0 ? [remark, place] : [place]));
  try {
    const end = showPanel(place, new SavedConnection(state));
    return () => {
      end();
      host.replaceChildren();
    };
  } catch (error) {
    return showMessage(host, t('broken', { reason: String(error) }));
  }
}

function showMessage(host: HTMLElement, text: string): () => void {
  host.replaceChildren(element('p', { className: 'gs-Panel gs-Panel-unreadable', text }));
  return () => host.replaceChildren();
}

function named(places: readonly string[]): string {
  const more = places.length > MOST_NAMED ? ', …' : '';
  return places.slice(0, MOST_NAMED).join(', ') + more;
}
