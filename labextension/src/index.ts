/** The part of gsjupyter that JupyterLab starts: the .mindir file type, saved panels, and what panels ask for. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ContentsManager } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';

import { answerPanels } from './bridge';
import {
  CONTENT_PROVIDER,
  MindirContentProvider,
  MindirModelFactory,
  MindirViewFactory,
  mindirFileType
} from './mindir';
import type { OpenNotebook } from './notebooks';
import { openNotebook } from './notebooks';
import { showSavedViewsIn } from './savedView';

const mindir: JupyterFrontEndPlugin<void> = {
  id: 'gsjupyter:mindir',
  description: 'Gives .mindir files an icon, and opens them as a description instead of as bytes.',
  autoStart: true,
  activate: ({ docRegistry, serviceManager }: JupyterFrontEnd) => {
    const contents = serviceManager.contents as ContentsManager;
    // JupyterLab before 4.4 has no such registry; its server refuses to save the description.
    contents.defaultDrive?.contentProviderRegistry?.register(
      CONTENT_PROVIDER,
      new MindirContentProvider(contents.defaultDrive)
    );
    docRegistry.addFileType(mindirFileType);
    docRegistry.addModelFactory(new MindirModelFactory());
    docRegistry.addWidgetFactory(new MindirViewFactory(contents));
  }
};

const panels: JupyterFrontEndPlugin<void> = {
  id: 'gsjupyter:panels',
  description:
    'Shows saved panels in notebooks, and lets live ones add cells and interrupt kernels.',
  autoStart: true,
  activate: ({ docRegistry, shell }: JupyterFrontEnd) => {
    const notebooks = new Set<OpenNotebook>();
    const add = (panel: Widget) => {
      const notebook = openNotebook(panel);
      if (notebook !== null) {
        notebooks.add(notebook);
        showSavedViewsIn(notebook);
        panel.disposed.connect(() => notebooks.delete(notebook));
      }
    };
    docRegistry.addWidgetExtension('Notebook', { createNew: add });
    // Notebook 7 may have opened its notebook before this is started.
    [...shell.widgets('main')].forEach(add);
    answerPanels(document, notebooks);
  }
};

export default [mindir, panels];
