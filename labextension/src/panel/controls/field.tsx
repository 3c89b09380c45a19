/** What all controls have around them: without it, labels, reasons and errors would be missing from one or another. */

import type { ComponentChildren } from 'preact';

import { Hinted, useHintId } from './hint';

/** What every control takes. */
export interface FieldProps {
  label: string;
  /** What it means, in words; shows on hover and on focus. */
  hint?: string;
  disabled?: boolean;
  /** Why it is disabled, or has no effect, in words. */
  reason?: string;
  /** What is wrong with its value, in words. */
  error?: string;
}

/** The ids of a control's parts, and what tells assistive technology of them. */
export interface FieldIds {
  control: string;
  hint: string;
  reason: string;
  error: string;
  /** For the control's element. */
  aria: {
    id: string;
    'aria-describedby': string | undefined;
    'aria-invalid': 'true' | undefined;
  };
}

export function useFieldIds({ hint, reason, error }: FieldProps): FieldIds {
  const control = useHintId();
  const ids = {
    control,
    hint: `${control}-hint`,
    reason: `${control}-reason`,
    error: `${control}-error`
  };
  const described = [error ? ids.error : '', reason ? ids.reason : '', hint ? ids.hint : ''].filter(
    id => id !== ''
  );
  return {
    ...ids,
    aria: {
      id: control,
      'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
      'aria-invalid': error ? 'true' : undefined
    }
  };
}

/** A control with what belongs to it; the label comes first, or after a box to tick. */
export function Field({
  props,
  ids,
  kind,
  children
}: {
  props: FieldProps;
  ids: FieldIds;
  kind: string;
  children: ComponentChildren;
}) {
  const modifiers = [
    props.disabled ? 'gs-mod-disabled' : '',
    props.error ? 'gs-mod-invalid' : ''
  ].join(' ');
  return (
    <Hinted
      id={ids.hint}
      text={props.hint}
      className={`gs-Panel-field gs-Panel-field-${kind} ${modifiers}`.trimEnd()}
    >
      {children}
      {props.reason ? (
        <small id={ids.reason} class="gs-Panel-reason">
          {props.reason}
        </small>
      ) : null}
      {props.error ? (
        <small id={ids.error} class="gs-Panel-error" role="alert">
          {props.error}
        </small>
      ) : null}
    </Hinted>
  );
}
