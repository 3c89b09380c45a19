/** What says the texts of the Layers tab: stable for a language, so that signals can be made of it. */

import { useMemo } from 'preact/hooks';

import type { Text } from '../i18n';
import { textIn } from '../i18n';
import { LAYERS } from '../locale/layers';
import type { Store } from '../store';

export type Words = Text<keyof typeof LAYERS.en>;

/** The texts in the panel's language; the component is drawn again when that changes. */
export function useWords(store: Store): Words {
  const language = store.language.value;
  return useMemo(() => textIn(LAYERS, language), [language]);
}
