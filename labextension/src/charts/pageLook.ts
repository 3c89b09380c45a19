/** Outside of Jupyter nobody defines the variables that reports take their look from: there, a page gets ours. */

/** Give `host` the look of charts.css's `gs-Page` if the page doesn't bring Jupyter's. */
export function bringLook(host: HTMLElement): void {
  // Jupyter's themes, and the pages that nbconvert makes, define them for the whole page.
  const page = getComputedStyle(document.documentElement);
  host.classList.toggle('gs-Page', page.getPropertyValue('--jp-ui-font-color1') === '');
}
