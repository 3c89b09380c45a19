/** Yes or no. */

import type { FieldProps } from './field';
import { Field, useFieldIds } from './field';

export function Switch(props: FieldProps & { value: boolean; onChange: (value: boolean) => void }) {
  const ids = useFieldIds(props);
  return (
    <Field props={props} ids={ids} kind="switch">
      <input
        {...ids.aria}
        type="checkbox"
        checked={props.value}
        disabled={props.disabled}
        onChange={event => {
          const wanted = event.currentTarget.checked;
          event.currentTarget.checked = props.value;
          props.onChange(wanted);
        }}
      />
      <label for={ids.control}>{props.label}</label>
    </Field>
  );
}
