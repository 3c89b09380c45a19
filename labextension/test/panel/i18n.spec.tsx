import { signal } from '@preact/signals';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Language } from '../../src/panel/i18n';
import { catalog, LanguageContext, pageLanguage, textIn, useText } from '../../src/panel/i18n';
import { APP } from '../../src/panel/locale/app';
import { CONTROLS } from '../../src/panel/locale/controls';
import { CONVERT } from '../../src/panel/locale/convert';

const TEXTS = catalog({
  en: { greet: 'Hello {name}, {name}; {unknown}' },
  zh: { greet: '{name}，你好' }
});

afterEach(() => {
  document.documentElement.lang = '';
  vi.restoreAllMocks();
});

describe('texts', () => {
  it('are filled as they stand, and what fills them is not filled itself', () => {
    expect(textIn(TEXTS, 'en')('greet', { name: '{name}$&' })).toBe(
      'Hello {name}$&, {name}$&; {unknown}'
    );
    expect(textIn(TEXTS, 'en')('greet')).toBe('Hello {name}, {name}; {unknown}');
    expect(textIn(TEXTS, 'zh')('greet', { name: 'fc1' })).toBe('fc1，你好');
  });

  it('are drawn again when the language is another', async () => {
    const language = signal<Language>('en');
    const Greeting = () => <p>{useText(TEXTS)('greet', { name: '<b>' })}</p>;
    const host = document.createElement('div');
    await act(() =>
      render(
        <LanguageContext.Provider value={language}>
          <Greeting />
        </LanguageContext.Provider>,
        host
      )
    );
    expect(host.textContent).toContain('Hello <b>');
    await act(() => {
      language.value = 'zh';
    });
    expect(host.textContent).toBe('<b>，你好');
  });

  it('have the same places to fill in both languages', () => {
    for (const { en, zh } of [APP, CONTROLS, CONVERT] as Record<
      Language,
      Record<string, string>
    >[]) {
      for (const key of Object.keys(en)) {
        expect(placesOf(zh[key]), key).toEqual(placesOf(en[key]));
      }
    }
  });
});

describe('the language', () => {
  it('is the page\u2019s, and without one the browser\u2019s', () => {
    const browser = vi.spyOn(navigator, 'language', 'get');
    browser.mockReturnValue('zh-TW');
    expect(pageLanguage()).toBe('zh');
    document.documentElement.lang = 'en-GB';
    expect(pageLanguage()).toBe('en');
    browser.mockReturnValue('en');
    document.documentElement.lang = 'zh-CN';
    expect(pageLanguage()).toBe('zh');
    document.documentElement.lang = 'zha';
    expect(pageLanguage()).toBe('en');
  });
});

function placesOf(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
}
