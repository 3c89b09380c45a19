/** Texts and charts that follow signals by themselves: without them, each move of a slider would draw components anew. */

import { computed, effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';

/** A signal of what `compute` gives; put into JSX as it is, it changes its text alone. */
export function useLive<Value>(
  compute: () => Value,
  dependencies: readonly unknown[]
): ReadonlySignal<Value> {
  return useMemo(() => computed(compute), [...dependencies]);
}

interface Chart {
  destroy(): void;
}

/**
 * The place of a chart that `create` makes, and that `follow` updates whenever a signal that it reads changes. A chart
 * that is scrolled out of sight waits: what nobody sees must not slow down what is seen.
 */
export function useChart<Kind extends Chart>(
  create: (host: HTMLElement) => Kind,
  follow: (chart: Kind) => void,
  dependencies: readonly unknown[]
): RefObject<HTMLDivElement | null> {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const host = place.current;
    if (host === null) {
      return undefined;
    }
    const chart = create(host);
    const seen = signal(true);
    const endSeeing = whileSeen(host, now => (seen.value = now));
    const end = effect(() => {
      if (seen.value) {
        follow(chart);
      }
    });
    return () => {
      endSeeing();
      end();
      chart.destroy();
      host.replaceChildren();
    };
  }, [...dependencies]);
  return place;
}

/** Say whether `element` is in sight, or nearly, whenever that changes; returns what ends that. */
function whileSeen(element: HTMLElement, tell: (seen: boolean) => void): () => void {
  if (typeof IntersectionObserver === 'undefined') {
    return () => undefined;
  }
  const observer = new IntersectionObserver(
    entries => tell(entries[entries.length - 1].isIntersecting),
    { rootMargin: '100px' }
  );
  observer.observe(element);
  return () => observer.disconnect();
}
