/** Reports on pages outside of Jupyter: without it, a report that is sent to somebody would be tables that don't sort. */

import { bringLook } from './charts/pageLook';
import { reportView } from './report';

/** Show the report in `data` in place of what `host` holds. */
export function showReport(host: HTMLElement, data: unknown): void {
  bringLook(host);
  host.replaceChildren(reportView(data));
}
