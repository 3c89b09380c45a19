/** Texts in the language of whoever reads them: without it half of the users would read the panel in a foreign one. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ReadonlySignal } from '@preact/signals';
import { signal } from '@preact/signals';

export type Language = 'en' | 'zh';

/** Texts by key, in both languages. `{name}` in a text is filled in. */
export interface Catalog<Key extends string> {
  en: Record<Key, string>;
  zh: Record<Key, string>;
}

export type Values = Record<string, string | number>;

export type Text<Key extends string> = (key: Key, values?: Values) => string;

/** `texts` as they are; a key that only one language has doesn't compile. */
export function catalog<Key extends string>(texts: {
  en: Record<Key, string>;
  zh: Record<NoInfer<Key>, string>;
}): Catalog<Key> {
  return texts;
}

/** What says the texts of `texts` in `language`. */
export function textIn<Key extends string>(texts: Catalog<Key>, language: Language): Text<Key> {
  const chosen = texts[language];
  return (key, values) => filled(chosen[key], values);
}

/** The language of the panel that a component stands in. */
export const LanguageContext = createContext<ReadonlySignal<Language>>(signal('en'));

/** What says the texts of `texts` in the panel's language; the component is drawn again when that changes. */
export function useText<Key extends string>(texts: Catalog<Key>): Text<Key> {
  return textIn(texts, useContext(LanguageContext).value);
}

/** The language to speak where the user has chosen none: the page's, then the browser's. */
export function pageLanguage(): Language {
  const said = [document.documentElement.lang, navigator.language].find(tag => tag) ?? 'en';
  return /^zh\b/i.test(said) ? 'zh' : 'en';
}

function filled(text: string, values: Values = {}): string {
  // One pass, so that a name with braces in it is never filled itself.
  return text.replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : place
  );
}
