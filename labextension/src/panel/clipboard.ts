/** Puts text into the clipboard, also where the browser's own way is refused: in frames, and without https. */

/** Copy what `element` shows; whether that worked. If not, its text is selected, so that Ctrl+C copies it. */
export async function copyTextOf(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '');
    return true;
  } catch {
    // No such clipboard, or no right to it.
    return copySelected(element);
  }
}

function copySelected(element: HTMLElement): boolean {
  const selection = window.getSelection();
  selection?.removeAllRanges();
  selection?.selectAllChildren(element);
  const copied = document.execCommand('copy');
  if (copied) {
    selection?.removeAllRanges();
  }
  return copied;
}
