/** Controls that belong together, under a heading that screen readers say with each of them. */

import type { ComponentChildren } from 'preact';

export function Group({
  title,
  reason,
  children
}: {
  title: string;
  /** Why all of them are disabled, in words. */
  reason?: string;
  children: ComponentChildren;
}) {
  return (
    <fieldset class="gs-Panel-group">
      <legend>{title}</legend>
      {children}
      {reason ? <small class="gs-Panel-reason">{reason}</small> : null}
    </fieldset>
  );
}
