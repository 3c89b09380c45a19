/**
 * What opens on a double click on a .mindir file: its size, its age, and the Python that loads it.
 *
 * Without it the browser would fetch the whole model and show its bytes as text.
 */

import {
  ABCWidgetFactory,
  DocumentRegistry,
  DocumentWidget,
  TextModelFactory
} from '@jupyterlab/docregistry';
import type { Contents, IContentProvider } from '@jupyterlab/services';
import { LabIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import mindirSvg from '../style/icons/mindir.svg';
import { fileView } from './fileView';

export const CONTENT_PROVIDER = 'gsjupyter-mindir';

export const mindirIcon = new LabIcon({ name: 'gsjupyter:mindir', svgstr: mindirSvg });

export const mindirFileType: Partial<DocumentRegistry.IFileType> = {
  name: 'mindir',
  displayName: 'MindIR model',
  extensions: ['.mindir'],
  mimeTypes: ['application/vnd.mindspore.mindir'],
  contentType: 'file',
  fileFormat: 'base64',
  icon: mindirIcon
};

/** A document whose content stays on the server: a model can be larger than the browser's memory. */
export class MindirModelFactory extends TextModelFactory {
  get name(): string {
    return 'gsjupyter-mindir';
  }

  /** No format means that only the file's name, size and times are asked for. */
  get fileFormat(): Contents.FileFormat {
    return null;
  }

  createNew(options?: Parameters<TextModelFactory['createNew']>[0]): DocumentRegistry.ICodeModel {
    const model = super.createNew(options);
    // Saving would replace the model by the content that was never read.
    model.readOnly = true;
    return model;
  }
}

/**
 * Describes model files as read-only, which is what makes JupyterLab say so when somebody saves one.
 *
 * A model's own `readOnly` isn't asked: without this, saving ends in an error from the server.
 */
export class MindirContentProvider implements IContentProvider {
  constructor(private readonly drive: Contents.IDrive) {}

  async get(path: string, options?: Contents.IFetchOptions): Promise<Contents.IModel> {
    const file = await this.drive.get(path, { ...options, contentProviderId: undefined });
    return { ...file, writable: false };
  }

  async save(path: string): Promise<Contents.IModel> {
    throw new Error(`${path} is only described here, and can't be saved from its description.`);
  }
}

export class MindirViewFactory extends ABCWidgetFactory<DocumentWidget> {
  constructor(private readonly contents: Contents.IManager) {
    super({
      name: 'MindIR model',
      modelName: 'gsjupyter-mindir',
      contentProviderId: CONTENT_PROVIDER,
      fileTypes: ['mindir'],
      defaultFor: ['mindir'],
      readOnly: true
    });
  }

  protected createNewWidget(context: DocumentRegistry.Context): DocumentWidget {
    const content = new Widget();
    content.addClass('gs-Mindir');
    const show = async () => {
      const file = await this.contents.get(context.path, { content: false });
      content.node.replaceChildren(fileView(file));
    };
    context.fileChanged.connect(show);
    context.pathChanged.connect(show);
    // The document's tab waits for this, and shows the error if the file has gone.
    const document = new DocumentWidget({ content, context, reveal: context.ready.then(show) });
    document.title.icon = mindirIcon;
    return document;
  }
}
