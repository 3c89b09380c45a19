/** Keeps JupyterLab off the keys that are pressed in here: without it, Enter on a button would edit the cell instead. */

const SUPPRESS = 'data-lm-suppress-shortcuts';

/**
 * Mark what gets the focus as having keys of its own; for `focusin` of whatever is shown in a notebook.
 *
 * The mark on an element around it is not enough: JupyterLab's shortcuts of a notebook mean the element that has the
 * focus, and are looked for there first.
 */
export function keepKeys({ target }: FocusEvent): void {
  if (target instanceof Element) {
    target.setAttribute(SUPPRESS, 'true');
  }
}
