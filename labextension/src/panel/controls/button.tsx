/** Something to do. A disabled one still takes the focus where it has a reason to tell. */

import type { ComponentChildren } from 'preact';

import { Hinted, useHintId } from './hint';

export interface ButtonProps {
  /** What it does; the name for screen readers where `children` are a sign. */
  label: string;
  children?: ComponentChildren;
  hint?: string;
  disabled?: boolean;
  kind?: 'primary' | 'plain' | 'quiet';
  /** For buttons that stay pressed. */
  pressed?: boolean;
  onClick: () => void;
}

export function Button({
  label,
  children,
  hint,
  disabled,
  kind = 'plain',
  pressed,
  onClick
}: ButtonProps) {
  const id = useHintId();
  return (
    <Hinted id={id} text={hint} className="gs-Panel-hinted">
      <button
        type="button"
        class={`gs-Panel-button gs-mod-${kind}`}
        aria-label={children === undefined ? undefined : label}
        aria-describedby={hint ? id : undefined}
        aria-disabled={disabled ? 'true' : undefined}
        aria-pressed={pressed}
        onClick={() => {
          if (!disabled) {
            onClick();
          }
        }}
      >
        {children ?? label}
      </button>
    </Hinted>
  );
}
