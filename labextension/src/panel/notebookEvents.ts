/** What a panel asks of the notebook around it, which no widget can do itself; `bridge.ts` answers in JupyterLab. */

/** Interrupt a kernel: `{kernelId}`. */
export const INTERRUPT = 'gsjupyter:interrupt';
/** Put a new cell below the panel's: `{code, kernelId}`. It isn't run. */
export const INSERT_CELL = 'gsjupyter:insert-cell';
/** Whether an output that changes is drawn anew in place, so that a panel in it stays as it is: `{kernelId}`. */
export const IN_PLACE = 'gsjupyter:in-place';

/** Ask from where the panel stands; whether somebody answered. */
export function askNotebook(
  from: Element,
  name: typeof INTERRUPT | typeof INSERT_CELL | typeof IN_PLACE,
  detail: { kernelId: string | null; code?: string }
): boolean {
  const event = new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail });
  return !from.dispatchEvent(event);
}
