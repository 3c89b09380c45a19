/** A number to pull: every step shows at once, and only letting go is an answer. */

import { useRef } from 'preact/hooks';

import type { FieldProps } from './field';
import { Field, useFieldIds } from './field';

export interface SliderProps extends FieldProps {
  value: number;
  min: number;
  max: number;
  step: number;
  /** The value in words, for the eye and for screen readers. */
  format: (value: number) => string;
  /** Called for each step. */
  onInput: (value: number) => void;
  /** Called once when the pointer lets go, or the key that moved it. */
  onCommit: (value: number) => void;
}

const MOVING_KEYS = [
  'ArrowLeft',
  'ArrowRight',
  'ArrowUp',
  'ArrowDown',
  'PageUp',
  'PageDown',
  'Home',
  'End'
];

export function Slider(props: SliderProps) {
  const ids = useFieldIds(props);
  // Browsers say "change" for each repetition of a key that is held down; that is still the same pull.
  const held = useRef(false);
  const moved = useRef<number | null>(null);
  const settle = () => {
    held.current = false;
    if (moved.current !== null) {
      const value = moved.current;
      moved.current = null;
      props.onCommit(value);
    }
  };
  const text = props.format(props.value);
  return (
    <Field props={props} ids={ids} kind="slider">
      <label for={ids.control}>{props.label}</label>
      <output for={ids.control}>{text}</output>
      <input
        {...ids.aria}
        type="range"
        min={props.min}
        max={props.max}
        step={props.step}
        value={props.value}
        disabled={props.disabled}
        aria-valuetext={text}
        onKeyDown={event => {
          held.current ||= MOVING_KEYS.includes(event.key);
        }}
        onKeyUp={settle}
        onBlur={settle}
        onInput={event => props.onInput(event.currentTarget.valueAsNumber)}
        onChange={event => {
          moved.current = event.currentTarget.valueAsNumber;
          if (!held.current) {
            settle();
          }
        }}
      />
    </Field>
  );
}
