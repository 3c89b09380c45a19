/** Where anywidget enters, and pages without a kernel do: the one module that is bundled for them. */

import { showStore } from './app';
import type { WidgetModel } from './connection';
import { ModelConnection } from './connection';
import { Store } from './store';

export { showSaved } from './saved';

/**
 * What each model's views show, by the value that only its own model holds: anywidget gives each view another face of
 * the model. A front end may draw an output again at any time, which must not cost what undo goes back to.
 */
const stores = new WeakMap<object, Store>();

function initialize({ model }: { model: WidgetModel }): () => void {
  const { store, close } = storeOf(model);
  const key = model.get('network');
  if (isKey(key)) {
    stores.set(key, store);
  }
  return () => {
    if (isKey(key)) {
      stores.delete(key);
    }
    close();
  };
}

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const key = model.get('network');
  const known = isKey(key) ? stores.get(key) : undefined;
  if (known !== undefined) {
    return showStore(el, known);
  }
  const { store, close } = storeOf(model);
  const end = showStore(el, store);
  return () => {
    end();
    close();
  };
}

function storeOf(model: WidgetModel): { store: Store; close: () => void } {
  const connection = new ModelConnection(model);
  const store = new Store(connection);
  const close = () => {
    store.close();
    connection.close();
  };
  return { store, close };
}

function isKey(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export default { initialize, render };
