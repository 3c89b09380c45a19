/** A slider whose arrow keys count as one move until they rest: without it, ten presses would be ten steps to undo. */

import { useLayoutEffect, useRef } from 'preact/hooks';

import type { SliderProps } from './slider';
import { Slider } from './slider';

/** How long no further key may come. */
export const KEY_REST_MS = 300;

const MOVING = /^(Arrow(Left|Right|Up|Down)|Page(Up|Down)|Home|End)$/;

export function CalmSlider(props: SliderProps) {
  const byKey = useRef(false);
  const waiting = useRef<{ timer: ReturnType<typeof setTimeout>; value: number } | null>(null);
  const commit = useRef(props.onCommit);
  commit.current = props.onCommit;
  /** Commit now what waits. */
  const flush = () => {
    if (waiting.current !== null) {
      const { timer, value } = waiting.current;
      clearTimeout(timer);
      waiting.current = null;
      commit.current(value);
    }
  };
  const wait = (value: number) => {
    clearTimeout(waiting.current?.timer);
    waiting.current = { timer: setTimeout(flush, KEY_REST_MS), value };
  };
  // Not after the frame: a slider may be gone by then.
  useLayoutEffect(() => flush, []);
  return (
    <div
      class="gs-Panel-slider"
      onPointerDownCapture={() => {
        flush();
        byKey.current = false;
      }}
      onKeyDownCapture={event => {
        byKey.current = MOVING.test(event.key);
        if (!byKey.current) {
          // Another key may be the one for undo: what it undoes must be there.
          flush();
        } else if (waiting.current !== null) {
          wait(waiting.current.value);
        }
      }}
      onFocusOut={flush}
    >
      <Slider
        {...props}
        onInput={value => {
          if (waiting.current !== null) {
            waiting.current.value = value;
          }
          props.onInput(value);
        }}
        onCommit={value => {
          wait(value);
          if (!byKey.current) {
            flush();
          }
        }}
      />
    </div>
  );
}
