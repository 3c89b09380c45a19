/** Draws what is known of a model file without reading it, and the Python that loads it. */

import type { Contents } from '@jupyterlab/services';

import { VERSION } from './document';
import { element } from './dom';
import { formatBytes } from './format';
import { reportView } from './report';

export type File = Pick<Contents.IModel, 'name' | 'size' | 'last_modified'>;

export function fileView(file: File): HTMLElement {
  const items = [{ label: 'Changed', value: new Date(file.last_modified).toLocaleString() }];
  if (file.size !== undefined) {
    items.unshift({ label: 'Size', value: formatBytes(file.size) });
  }
  const view = reportView({
    version: VERSION,
    title: file.name,
    blocks: [{ type: 'facts', items }]
  });
  // A JSON string is a Python string too, whatever the name holds.
  const code = `import gsjupyter as gs\n\nmodel = gs.load(${JSON.stringify(file.name)})`;
  view.append(
    element('p', { text: 'A MindIR model. To run it, in a notebook in the same folder:' }),
    element('pre', { className: 'gs-Report-code', text: code })
  );
  return view;
}
