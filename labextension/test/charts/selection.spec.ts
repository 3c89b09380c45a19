// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { chosen, wayOf } from '../../src/charts/selection';

const ORDER = [4, 2, 0, 1, 3];
const held = { shiftKey: false, ctrlKey: false, metaKey: false };

describe('a selection of layers', () => {
  it('follows the order in which layers are shown, not their numbers', () => {
    const first = chosen({ selected: [], anchor: null }, ORDER, 2, 'only');
    expect(first).toEqual({ selected: [2], anchor: 2 });
    expect(chosen(first, ORDER, 1, 'range')).toEqual({ selected: [2, 0, 1], anchor: 2 });
    expect(chosen(first, ORDER, 4, 'range')).toEqual({ selected: [4, 2], anchor: 2 });
  });

  it('takes single layers in and out', () => {
    const two = chosen({ selected: [1], anchor: 1 }, ORDER, 4, 'toggle');
    expect(two).toEqual({ selected: [4, 1], anchor: 4 });
    expect(chosen(two, ORDER, 1, 'toggle').selected).toEqual([4]);
  });

  it('adds a range to what is selected', () => {
    const selection = { selected: [4], anchor: 1 };
    expect(chosen(selection, ORDER, 3, 'add-range').selected).toEqual([4, 1, 3]);
  });

  it('starts a range anew where its start is not shown any more', () => {
    expect(chosen({ selected: [9], anchor: 9 }, ORDER, 0, 'range')).toEqual({
      selected: [0],
      anchor: 0
    });
  });

  it('reads the keys that are held', () => {
    expect(wayOf(held)).toBe('only');
    expect(wayOf({ ...held, metaKey: true })).toBe('toggle');
    expect(wayOf({ ...held, shiftKey: true })).toBe('range');
    expect(wayOf({ ...held, shiftKey: true, ctrlKey: true })).toBe('add-range');
  });
});
