/** A text or a number to type: it counts when one leaves the field or presses Enter; Escape takes it back. */

import { useRef, useState } from 'preact/hooks';

import type { FieldProps } from './field';
import { Field, useFieldIds } from './field';

export interface TextFieldProps extends FieldProps {
  value: string;
  placeholder?: string;
  inputMode?: 'text' | 'numeric' | 'decimal' | 'search';
  /** Called for each letter. */
  onInput?: (value: string) => void;
  /** Called when the text is meant. */
  onCommit?: (value: string) => void;
  /** What is wrong with a text, in words; empty if nothing is. A wrong text stays, and isn't committed. */
  check?: (value: string) => string;
  /** Suggestions. */
  list?: readonly string[];
}

export function TextField(props: TextFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [wrong, setWrong] = useState('');
  const shown = wrong === '' ? props : { ...props, error: wrong };
  const ids = useFieldIds(shown);
  // An Enter is followed by a blur, whose handler may be that of the drawing before.
  const typed = useRef<string | null>(null);
  const write = (text: string | null) => {
    typed.current = text;
    setDraft(text);
    setWrong('');
  };
  const commit = () => {
    const text = typed.current;
    const reason = text === null ? '' : (props.check?.(text) ?? '');
    if (reason !== '') {
      setWrong(reason);
      return;
    }
    write(null);
    if (text !== null && text !== props.value) {
      props.onCommit?.(text);
    }
  };
  return (
    <Field props={shown} ids={ids} kind="text">
      <label for={ids.control}>{props.label}</label>
      <input
        {...ids.aria}
        type="text"
        class="gs-Panel-input"
        spellcheck={false}
        autocomplete="off"
        inputMode={props.inputMode}
        placeholder={props.placeholder}
        list={props.list ? `${ids.control}-list` : undefined}
        value={draft ?? props.value}
        disabled={props.disabled}
        onInput={event => {
          write(event.currentTarget.value);
          props.onInput?.(event.currentTarget.value);
        }}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            commit();
          } else if (event.key === 'Escape' && typed.current !== null) {
            write(null);
            props.onInput?.(props.value);
            event.stopPropagation();
          }
        }}
      />
      {props.list ? (
        <datalist id={`${ids.control}-list`}>
          {props.list.map(item => (
            <option key={item} value={item} />
          ))}
        </datalist>
      ) : null}
    </Field>
  );
}
