import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { answerPanels } from '../src/bridge';
import type { OpenNotebook } from '../src/notebooks';
import { askNotebook, IN_PLACE, INSERT_CELL, INTERRUPT } from '../src/panel/notebookEvents';

/** A notebook with two cells, of which only what the bridge asks for is there. */
class MadeUpNotebook {
  readonly interrupt = vi.fn(async () => undefined);
  readonly inserted: [number, object][] = [];
  readonly node = document.createElement('div');
  readonly panels = ['first', 'second'].map(() => document.createElement('button'));
  readonly cells = {
    node: this.node,
    widgets: this.panels.map(panel => {
      const cell = document.createElement('div');
      cell.append(panel);
      this.node.append(cell);
      return { node: cell };
    }),
    model: {
      readOnly: false,
      sharedModel: {
        insertCell: (index: number, cell: object) => this.inserted.push([index, cell])
      }
    },
    activeCellIndex: 1,
    mode: 'command',
    deselectAll: vi.fn(),
    activate: vi.fn()
  };
  readonly session: { session: { kernel: { id: string; interrupt: () => Promise<undefined> } } };

  constructor(kernelId: string) {
    this.session = { session: { kernel: { id: kernelId, interrupt: this.interrupt } } };
    document.body.append(this.node);
  }
}

let one: MadeUpNotebook;
let other: MadeUpNotebook;
let end: () => void;

beforeEach(() => {
  one = new MadeUpNotebook('one');
  other = new MadeUpNotebook('other');
  end = answerPanels(document, [one, other] as unknown as OpenNotebook[]);
});

afterEach(() => {
  end();
  document.body.replaceChildren();
});

describe('an interrupt', () => {
  it('reaches the kernel of the notebook that has it', () => {
    expect(askNotebook(document.body, INTERRUPT, { kernelId: 'other' })).toBe(true);
    expect([one, other].map(({ interrupt }) => interrupt.mock.calls.length)).toEqual([0, 1]);
  });

  it.each(['third', null])('reaches no kernel for %s, and says so', kernelId => {
    expect(askNotebook(one.panels[0], INTERRUPT, { kernelId })).toBe(false);
    expect([one, other].map(({ interrupt }) => interrupt.mock.calls.length)).toEqual([0, 0]);
  });

  it('is answered where the panel dispatches it on the document too', () => {
    const event = new CustomEvent(INTERRUPT, { detail: { kernelId: 'one' }, cancelable: true });
    document.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    expect(one.interrupt).toHaveBeenCalledOnce();
  });
});

describe('a new cell', () => {
  it("comes below the panel's, has the text and the cursor, and nothing else changes", () => {
    const asked = { code: '%gs_convert net x', kernelId: null };
    expect(askNotebook(one.panels[0], INSERT_CELL, asked)).toBe(true);
    expect(one.inserted).toEqual([[1, { cell_type: 'code', source: '%gs_convert net x' }]]);
    expect(one.cells.activeCellIndex).toBe(1);
    expect(one.cells.mode).toBe('edit');
    expect(one.cells.activate).toHaveBeenCalledOnce();
    expect(other.inserted).toEqual([]);
  });

  it('goes where the panel stands, whatever kernel it names', () => {
    askNotebook(other.panels[1], INSERT_CELL, { code: 'x', kernelId: 'one' });
    expect(other.inserted.map(([index]) => index)).toEqual([2]);
    expect(one.inserted).toEqual([]);
  });

  it('goes below the active cell of the notebook with the kernel, for a panel that stands elsewhere', () => {
    expect(askNotebook(document.body, INSERT_CELL, { code: 'x', kernelId: 'other' })).toBe(true);
    expect(other.inserted.map(([index]) => index)).toEqual([2]);
  });

  it('is refused where no notebook takes it', () => {
    one.cells.model.readOnly = true;
    expect(askNotebook(one.panels[0], INSERT_CELL, { code: 'x', kernelId: 'one' })).toBe(false);
    expect(askNotebook(document.body, INSERT_CELL, { code: 'x', kernelId: 'third' })).toBe(false);
  });

  it.each([undefined, null, 'text', {}, { code: 5 }])('is refused for the detail %s', detail => {
    const event = new CustomEvent(INSERT_CELL, { bubbles: true, cancelable: true, detail });
    expect(one.panels[0].dispatchEvent(event)).toBe(true);
    expect(one.inserted).toEqual([]);
  });
});

it('tells a panel that it stays where it is when its output changes', () => {
  expect(askNotebook(document.documentElement, IN_PLACE, { kernelId: null })).toBe(true);
});

it('answers no more when it is ended', () => {
  end();
  expect(askNotebook(document.documentElement, IN_PLACE, { kernelId: null })).toBe(false);
  expect(askNotebook(document.body, INTERRUPT, { kernelId: 'one' })).toBe(false);
});
