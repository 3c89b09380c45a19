/** Without this, reports and panels in saved notebooks would fall back to static HTML when no kernel runs. */

import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { reportView } from './report';
import { savedViews } from './savedView';

const MIME_TYPE = 'application/vnd.gsjupyter.report+json';

class ReportRenderer extends Widget implements IRenderMime.IRenderer {
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.node.replaceChildren(reportView(model.data[MIME_TYPE]));
  }
}

const reports: IRenderMime.IExtension = {
  id: 'gsjupyter:report',
  description: 'Shows conversion reports as tables that sort and filter.',
  rendererFactory: {
    // Nothing in a report is run or read as markup, so it shows in notebooks that are not trusted.
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new ReportRenderer()
  },
  // Before the text/html that stands in for it where this extension is absent.
  rank: 0,
  dataType: 'json'
};

/** Outside of notebooks, which have a renderer of their own: see `savedView.ts`. */
const views: IRenderMime.IExtension = {
  id: 'gsjupyter:view',
  description: 'Shows panels as they were saved.',
  rendererFactory: savedViews,
  rank: 0,
  dataType: 'json'
};

export default [reports, views];
