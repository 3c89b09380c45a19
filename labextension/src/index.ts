/** The part of gsjupyter that JupyterLab starts: the .mindir file type and what opens it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import type { ContentsManager } from '@jupyterlab/services';

import {
  CONTENT_PROVIDER,
  MindirContentProvider,
  MindirModelFactory,
  MindirViewFactory,
  mindirFileType
} from './mindir';

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

export default mindir;
