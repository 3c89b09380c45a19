/** What a control means, on hover and on focus: nobody should have to leave the panel to learn what an option does. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const DELAY_MS = 350;
const GAP = 4;

/**
 * `children` with a text that shows while the pointer or the keyboard's focus is on them. Escape puts it away. The
 * control inside names `id` in its `aria-describedby`.
 */
export function Hinted({
  id,
  text,
  className = '',
  children
}: {
  id: string;
  text: string | undefined;
  className?: string;
  children: ComponentChildren;
}) {
  const place = useRef<HTMLDivElement>(null);
  const bubble = useRef<HTMLSpanElement>(null);
  const timer = useRef(0);
  const stopWatching = useRef<(() => void) | null>(null);
  const hide = () => {
    window.clearTimeout(timer.current);
    stopWatching.current?.();
    stopWatching.current = null;
    setOpen(bubble.current, false);
  };
  const show = () => {
    hide();
    setOpen(bubble.current, true);
    beside(bubble.current, place.current);
    // It stands still in the window, while its control would scroll away below it.
    window.addEventListener('scroll', hide, { capture: true, once: true });
    stopWatching.current = () => window.removeEventListener('scroll', hide, { capture: true });
  };
  const showSoon = () => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(show, DELAY_MS);
  };
  const onFocus = (event: FocusEvent) => {
    if (event.target instanceof Element && isFocusVisible(event.target)) {
      show();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && isOpen(bubble.current)) {
      hide();
      event.stopPropagation();
    }
  };
  useEffect(() => hide, []);
  if (text === undefined || text === '') {
    return <div class={className}>{children}</div>;
  }
  return (
    <div
      ref={place}
      class={className}
      onMouseEnter={showSoon}
      onMouseLeave={hide}
      onMouseDown={hide}
      // Whoever sets a value wants to see what it does.
      onInput={hide}
      onFocusIn={onFocus}
      onFocusOut={hide}
      onKeyDown={onKeyDown}
    >
      {children}
      <span ref={bubble} id={id} role="tooltip" popover="manual" class="gs-Panel-hint">
        {text}
      </span>
    </div>
  );
}

/** A sign that explains itself on hover and on focus, where no control stands that could carry the text. */
export function Hint({ text, label = '?' }: { text: string; label?: string }) {
  const id = useHintId();
  return (
    <Hinted id={id} text={text} className="gs-Panel-hinted">
      <button type="button" class="gs-Panel-question" aria-describedby={id}>
        {label}
      </button>
    </Hinted>
  );
}

let count = 0;

/** An id of its own for each component that asks; several panels may stand on one page. */
export function useHintId(): string {
  const id = useRef('');
  if (id.current === '') {
    count += 1;
    id.current = `gs-control-${count}`;
  }
  return id.current;
}

function setOpen(bubble: HTMLElement | null, open: boolean): void {
  if (bubble === null || isOpen(bubble) === open) {
    return;
  }
  bubble.classList.toggle('gs-mod-open', open);
  // In the top layer no scrolling cell cuts it off. Browsers before 2024 have none.
  if (typeof bubble.showPopover === 'function' && bubble.isConnected) {
    bubble.togglePopover(open);
  }
}

function isOpen(bubble: HTMLElement | null): boolean {
  return bubble?.classList.contains('gs-mod-open') ?? false;
}

/** Below `place`, or above where there is no room, and never beyond the window's edge. */
function beside(bubble: HTMLElement | null, place: HTMLElement | null): void {
  if (bubble === null || place === null) {
    return;
  }
  const { left, top, bottom } = place.getBoundingClientRect();
  const { width, height } = bubble.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = bottom + GAP + height <= clientHeight || top < height + GAP;
  bubble.style.left = `${Math.max(GAP, Math.min(left, clientWidth - width - GAP))}px`;
  bubble.style.top = `${below ? bottom + GAP : top - GAP - height}px`;
}

function isFocusVisible(element: Element): boolean {
  try {
    return element.matches(':focus-visible');
  } catch {
    // The pseudo-class is unknown to some.
    return true;
  }
}
