/** What a click or a key does to the selected layers: the rules of lists everywhere, as functions. */

export interface Selection {
  /** Numbers of layers, in the order in which they are shown. */
  selected: number[];
  /** The layer from which a range is extended. */
  anchor: number | null;
}

export type Way = 'only' | 'toggle' | 'range' | 'add-range';

/** The selection after `layer` was chosen in some way; `order` holds the layers as they are shown. */
export function chosen(
  selection: Selection,
  order: readonly number[],
  layer: number,
  way: Way
): Selection {
  switch (way) {
    case 'only':
      return { selected: [layer], anchor: layer };
    case 'toggle': {
      const selected = selection.selected.includes(layer)
        ? selection.selected.filter(other => other !== layer)
        : inOrder(order, [...selection.selected, layer]);
      return { selected, anchor: layer };
    }
    case 'range':
    case 'add-range': {
      const anchor =
        selection.anchor !== null && order.includes(selection.anchor) ? selection.anchor : layer;
      const range = between(order, anchor, layer);
      const selected = way === 'range' ? range : inOrder(order, [...selection.selected, ...range]);
      return { selected, anchor };
    }
  }
}

/** The way that the keys held during a click ask for. */
export function wayOf(held: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): Way {
  const adds = held.ctrlKey || held.metaKey;
  return held.shiftKey ? (adds ? 'add-range' : 'range') : adds ? 'toggle' : 'only';
}

/** The layers from one to another, both included, in the order in which they are shown. */
export function between(order: readonly number[], from: number, to: number): number[] {
  const [first, last] = [order.indexOf(from), order.indexOf(to)].sort((a, b) => a - b);
  return first < 0 ? [] : order.slice(first, last + 1);
}

/** `layers` as shown, each once; layers that aren't shown stay selected, after the others. */
function inOrder(order: readonly number[], layers: number[]): number[] {
  const wanted = new Set(layers);
  const shown = order.filter(layer => wanted.delete(layer));
  return [...shown, ...wanted];
}
