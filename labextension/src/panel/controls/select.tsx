/** One of a few values: the browser's own list, which every keyboard, screen reader and phone knows. */

import type { FieldProps } from './field';
import { Field, useFieldIds } from './field';

export interface Choice<Value extends string> {
  value: Value;
  label: string;
  disabled?: boolean;
}

export function Select<Value extends string>(
  props: FieldProps & {
    value: Value;
    options: readonly Choice<Value>[];
    onChange: (value: Value) => void;
  }
) {
  const ids = useFieldIds(props);
  const { options, value, onChange } = props;
  return (
    <Field props={props} ids={ids} kind="select">
      <label for={ids.control}>{props.label}</label>
      <select
        {...ids.aria}
        class="gs-Panel-select"
        value={value}
        disabled={props.disabled}
        onChange={event => {
          const chosen = options.find(option => option.value === event.currentTarget.value);
          // What shows follows what is set, which whoever owns the value may refuse.
          event.currentTarget.value = value;
          if (chosen !== undefined && chosen.value !== value) {
            onChange(chosen.value);
          }
        }}
      >
        {options.map(option => (
          <option
            key={option.value}
            value={option.value}
            disabled={option.disabled}
            selected={option.value === value}
          >
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}
