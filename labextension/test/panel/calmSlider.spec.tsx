import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CalmSlider, KEY_REST_MS } from '../../src/panel/controls/calmSlider';

let host: HTMLElement;
let moved: number[];
let committed: number[];

beforeEach(() => {
  vi.useFakeTimers();
  host = document.body.appendChild(document.createElement('div'));
  [moved, committed] = [[], []];
  render(
    <CalmSlider
      label="Bits"
      value={8}
      min={2}
      max={8}
      step={1}
      format={String}
      onInput={value => moved.push(value)}
      onCommit={value => committed.push(value)}
    />,
    host
  );
});
afterEach(() => {
  render(null, host);
  host.remove();
  vi.useRealTimers();
});

const input = () => host.querySelector('input')!;

function say(...types: string[]): void {
  types.forEach(type => input().dispatchEvent(new Event(type, { bubbles: true })));
}

/** Press a key and let it go; with a value, the slider moves there. */
function press(key: string, value?: number): void {
  input().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  if (value !== undefined) {
    input().value = String(value);
    say('input', 'change');
  }
  input().dispatchEvent(new KeyboardEvent('keyup', { key, bubbles: true }));
}

describe('a slider that is moved by keys', () => {
  it('shows each step, and commits once the keys rest', () => {
    press('ArrowLeft', 7);
    vi.advanceTimersByTime(KEY_REST_MS - 50);
    press('ArrowLeft', 6);
    vi.advanceTimersByTime(KEY_REST_MS - 50);
    expect([moved, committed]).toEqual([[7, 6], []]);
    vi.advanceTimersByTime(50);
    expect(committed).toEqual([6]);
    vi.advanceTimersByTime(10 * KEY_REST_MS);
    expect(committed).toEqual([6]);
  });

  it('waits for a key that moves nothing as well', () => {
    press('ArrowLeft', 2);
    vi.advanceTimersByTime(KEY_REST_MS - 50);
    press('ArrowLeft');
    vi.advanceTimersByTime(KEY_REST_MS - 50);
    expect(committed).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(committed).toEqual([2]);
  });

  it('commits at once before any other key, which may be the one for undo', () => {
    press('ArrowLeft', 7);
    press('z');
    expect(committed).toEqual([7]);
  });

  it('commits at once when the focus goes, and when it is taken away', () => {
    press('ArrowLeft', 7);
    say('focusout');
    press('ArrowLeft', 6);
    render(null, host);
    expect(committed).toEqual([7, 6]);
    vi.advanceTimersByTime(KEY_REST_MS);
    expect(committed).toEqual([7, 6]);
  });
});

it('commits at once what a pointer lets go', () => {
  press('ArrowLeft', 7);
  say('pointerdown');
  expect(committed).toEqual([7]);
  input().value = '4';
  say('input', 'change');
  expect(committed).toEqual([7, 4]);
});
