/** Colours of the page that a chart stands in: a canvas doesn't know CSS, so they are read from elements that do. */

import { element } from '../dom';

const COLOURS = [
  'background',
  'text',
  'line',
  'bar',
  'muted',
  'selected',
  'truth',
  'clipped',
  'band',
  'hover',
  'focus'
] as const;

export type Colour = (typeof COLOURS)[number];

export interface Theme {
  colours: Record<Colour, string>;
  /** As in CSS, for text on axes. */
  font: string;
}

/** What of `<html>` and `<body>` says which theme is on: in JupyterLab, Notebook, VS Code and nbconvert's pages. */
const ATTRIBUTES = ['class', 'style', 'data-jp-theme-light', 'data-jp-theme-name', 'data-theme'];
const QUERIES = [
  '(prefers-color-scheme: dark)',
  '(prefers-contrast: more)',
  '(forced-colors: active)'
];

/** The colours inside one element, and word of when they change. */
export class Palette {
  /** Not seen: one element a colour, because only a property of type colour has `light-dark()` and the like worked out. */
  readonly #samples: HTMLElement;
  readonly #changed: () => void;
  #stopWatching: (() => void) | null = null;
  #theme: Theme | null = null;

  constructor(host: HTMLElement, changed: () => void) {
    this.#changed = changed;
    this.#samples = element('span', {
      className: 'gs-Chart-colours',
      attributes: { 'aria-hidden': 'true' },
      children: COLOURS.map(colour => {
        const sample = element('i');
        sample.style.color = `var(--gs-chart-${colour})`;
        return sample;
      })
    });
    host.append(this.#samples);
  }

  /** The colours as they are now; worked out once, until the theme changes. */
  get theme(): Theme {
    this.#theme ??= this.#read();
    return this.#theme;
  }

  /** Look at the page's theme, or, for a chart that isn't on the page, don't: what is watched is kept alive. */
  watch(wanted: boolean): void {
    if (wanted && this.#stopWatching === null) {
      this.#theme = null;
      this.#stopWatching = watchPage(() => {
        const before = this.#theme;
        this.#theme = this.#read();
        if (JSON.stringify(before) !== JSON.stringify(this.#theme)) {
          this.#changed();
        }
      });
    } else if (!wanted) {
      this.#stopWatching?.();
      this.#stopWatching = null;
    }
  }

  #read(): Theme {
    const colours = COLOURS.map((colour, index) => {
      return [colour, getComputedStyle(this.#samples.children[index]).color];
    });
    const family = getComputedStyle(this.#samples).fontFamily || 'sans-serif';
    return {
      colours: Object.fromEntries(colours) as Record<Colour, string>,
      font: `11px ${family}`
    };
  }
}

function watchPage(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  const options = { attributes: true, attributeFilter: ATTRIBUTES };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  const media = QUERIES.map(query => window.matchMedia(query));
  media.forEach(query => query.addEventListener('change', changed));
  return () => {
    observer.disconnect();
    media.forEach(query => query.removeEventListener('change', changed));
  };
}
