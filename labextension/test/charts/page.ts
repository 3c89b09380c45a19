/** What jsdom lacks for charts: sizes, a canvas and word of the theme. All of it under the test's control. */

import { afterEach, beforeEach, vi } from 'vitest';

import { COLOURS, Recording } from './recording';

export class FakeResizes {
  static all: FakeResizes[] = [];
  observed: Element[] = [];
  readonly #told: ResizeObserverCallback;

  constructor(told: ResizeObserverCallback) {
    this.#told = told;
    FakeResizes.all.push(this);
  }
  observe(element: Element): void {
    this.observed.push(element);
  }
  disconnect(): void {
    this.observed = [];
  }
  /** Tell every chart that it is so large. */
  static tell(width: number, height: number): void {
    for (const resizes of FakeResizes.all.filter(({ observed }) => observed.length > 0)) {
      const entry = { contentRect: { width, height } } as ResizeObserverEntry;
      resizes.#told([entry], resizes as unknown as ResizeObserver);
    }
  }
}

export interface FakePage {
  /** What each canvas was given, in the order in which they were first drawn. */
  recordings: Recording[];
  /** Put before the name of each colour. */
  theme: string;
  /** How many listeners wait for a change of the theme. */
  themeListeners(): number;
  /** Let one frame pass. */
  frame(): Promise<void>;
}

/** Put the page in place before each test of a file, and away after it. */
export function fakePage(): FakePage {
  const page: FakePage = { recordings: [], theme: '', themeListeners: () => listeners.size, frame };
  const listeners = new Set<unknown>();
  let frames: (FrameRequestCallback | null)[] = [];
  async function frame(): Promise<void> {
    await Promise.resolve();
    const due = frames;
    frames = [];
    due.forEach(callback => callback?.(0));
    await Promise.resolve();
  }
  beforeEach(() => {
    page.recordings = [];
    page.theme = '';
    FakeResizes.all = [];
    listeners.clear();
    frames = [];
    const recordings = new WeakMap<HTMLCanvasElement, Recording>();
    vi.stubGlobal('ResizeObserver', FakeResizes);
    vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) =>
      frames.push(callback)
    );
    vi.stubGlobal('cancelAnimationFrame', (number: number) => (frames[number - 1] = null));
    vi.stubGlobal('matchMedia', () => ({
      addEventListener: (_: string, listener: unknown) => listeners.add(listener),
      removeEventListener: (_: string, listener: unknown) => listeners.delete(listener)
    }));
    const real = window.getComputedStyle.bind(window);
    vi.stubGlobal('getComputedStyle', (element: Element) => {
      const place = [...(element.parentElement?.children ?? [])].indexOf(element);
      return element.tagName === 'I' ? { color: page.theme + COLOURS[place] } : real(element);
    });
    vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(function (
      this: HTMLCanvasElement
    ) {
      const known = recordings.get(this) ?? new Recording();
      if (!recordings.has(this)) {
        recordings.set(this, known);
        page.recordings.push(known);
      }
      return known.context as never;
    });
  });
  afterEach(async () => {
    // What a test left to draw is drawn while there still is a canvas.
    await frame();
    FakeResizes.tell(0, 0);
    document.body.replaceChildren();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
  return page;
}
