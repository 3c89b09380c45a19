/** The part of gsjupyter that JupyterLab starts: the .mindir file type and what opens it. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { MindirModelFactory, MindirViewFactory, mindirFileType } from './mindir';

const mindir: JupyterFrontEndPlugin<void> = {
  id: 'gsjupyter:mindir',
  description: 'Gives .mindir files an icon, and opens them as a description instead of as bytes.',
  autoStart: true,
  activate: ({ docRegistry, serviceManager }: JupyterFrontEnd) => {
    docRegistry.addFileType(mindirFileType);
    docRegistry.addModelFactory(new MindirModelFactory());
    docRegistry.addWidgetFactory(new MindirViewFactory(serviceManager.contents));
  }
};

export default mindir;
