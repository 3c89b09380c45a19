import type { ComponentChildren } from 'preact';
import { render } from 'preact';
import { act } from 'preact/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Button, Select, Switch, TextField } from '../../src/panel/controls';
import { Slider } from '../../src/panel/controls/slider';
import { HOSTILE } from './madeUp';

let host: HTMLElement;

const show = (children: ComponentChildren) => act(() => render(children, host));
const input = () => host.querySelector('input')!;
const fire = (node: Element, event: Event) => act(() => void node.dispatchEvent(event));
const key = (node: Element, name: string, type = 'keydown') =>
  fire(node, new KeyboardEvent(type, { key: name, bubbles: true, cancelable: true }));
const write = (node: HTMLInputElement, value: string, ...events: string[]) =>
  act(() => {
    node.value = value;
    events.forEach(name => node.dispatchEvent(new Event(name, { bubbles: true })));
  });

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
});
afterEach(() => {
  render(null, host);
  host.remove();
  vi.useRealTimers();
});

describe('a slider', () => {
  const parts = () => ({ onInput: vi.fn(), onCommit: vi.fn() });
  const slider = (on: ReturnType<typeof parts>) => (
    <Slider
      label="Bits"
      value={4}
      min={2}
      max={8}
      step={1}
      format={bits => `${bits} bits`}
      {...on}
    />
  );

  it('says its value in words, and commits once when the pointer lets go', async () => {
    const on = parts();
    await show(slider(on));
    expect(input().getAttribute('aria-valuetext')).toBe('4 bits');
    expect(host.querySelector('output')?.textContent).toBe('4 bits');
    await write(input(), '5', 'input');
    await write(input(), '6', 'input');
    expect(on.onInput.mock.calls).toEqual([[5], [6]]);
    expect(on.onCommit).not.toHaveBeenCalled();
    await write(input(), '6', 'change');
    expect(on.onCommit.mock.calls).toEqual([[6]]);
  });

  it('commits once for a key that is held down, when it comes up or the focus leaves', async () => {
    const on = parts();
    await show(slider(on));
    for (const value of ['5', '6', '7']) {
      await key(input(), 'ArrowRight');
      await write(input(), value, 'input', 'change');
    }
    expect(on.onCommit).not.toHaveBeenCalled();
    await key(input(), 'ArrowRight', 'keyup');
    await fire(input(), new FocusEvent('blur'));
    expect(on.onCommit.mock.calls).toEqual([[7]]);
    await key(input(), 'End');
    await write(input(), '8', 'input', 'change');
    await fire(input(), new FocusEvent('blur'));
    expect(on.onCommit.mock.calls).toEqual([[7], [8]]);
  });
});

describe('a text', () => {
  it('counts with Enter or on leaving, and not twice', async () => {
    const onCommit = vi.fn();
    await show(<TextField label="Budget" value="4x" onCommit={onCommit} />);
    await write(input(), '6x', 'input');
    expect(onCommit).not.toHaveBeenCalled();
    await key(input(), 'Enter');
    await fire(input(), new FocusEvent('blur'));
    expect(onCommit.mock.calls).toEqual([['6x']]);
    await write(input(), '4x', 'input');
    await fire(input(), new FocusEvent('blur'));
    expect(onCommit).toHaveBeenCalledTimes(1);
  });

  it('that is wrong stays, with the reason, until Escape', async () => {
    const onCommit = vi.fn();
    const check = (text: string) => (text === 'much' ? 'Write a size.' : '');
    await show(<TextField label="Budget" value="4x" check={check} onCommit={onCommit} />);
    await write(input(), 'much', 'input');
    await key(input(), 'Enter');
    expect(input().value).toBe('much');
    expect(input().getAttribute('aria-invalid')).toBe('true');
    expect(host.querySelector('[role=alert]')?.textContent).toBe('Write a size.');
    await key(input(), 'Escape');
    expect(input().value).toBe('4x');
    expect(input().hasAttribute('aria-invalid')).toBe(false);
    expect(onCommit).not.toHaveBeenCalled();
  });
});

describe('a choice', () => {
  it('shows what is set, whatever was picked, until its owner sets another', async () => {
    const onChange = vi.fn();
    const options = [
      { value: 'one' as string, label: HOSTILE },
      { value: 'two', label: 'Two' }
    ];
    await show(<Select label={HOSTILE} value="one" options={options} onChange={onChange} />);
    const select = host.querySelector('select')!;
    await act(() => {
      select.value = 'two';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    expect(onChange.mock.calls).toEqual([['two']]);
    expect(select.value).toBe('one');
    expect(host.querySelector('img')).toBeNull();
    expect(select.labels[0].textContent).toBe(HOSTILE);
  });

  it('of yes or no is a box to tick', async () => {
    const onChange = vi.fn();
    await show(<Switch label="Smooth" value={false} onChange={onChange} />);
    await act(() => input().click());
    expect(onChange.mock.calls).toEqual([[true]]);
    expect(input().checked).toBe(false);
  });
});

describe('what belongs to a control', () => {
  it('describes it: the error, the reason, the hint', async () => {
    await show(
      <Switch
        label="Smooth"
        hint="What it means."
        reason="Needs int8 activations."
        error="It failed."
        disabled
        value={false}
        onChange={() => undefined}
      />
    );
    const described = input().getAttribute('aria-describedby')!.split(' ');
    const texts = described.map(id => document.getElementById(id)?.textContent);
    expect(texts).toEqual(['It failed.', 'Needs int8 activations.', 'What it means.']);
  });

  it('shows the hint on focus at once, on hover after a while, and not after Escape', async () => {
    vi.useFakeTimers();
    await show(<Button label="Apply" hint="Converts." onClick={() => undefined} />);
    const hint = host.querySelector('[role=tooltip]')!;
    const isOpen = () => hint.classList.contains('gs-mod-open');
    const button = host.querySelector('button')!;
    await act(() => button.focus());
    expect(isOpen()).toBe(true);
    await key(button, 'Escape');
    expect(isOpen()).toBe(false);
    await fire(button.parentElement!, new MouseEvent('mouseenter'));
    expect(isOpen()).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(isOpen()).toBe(true);
    await fire(button.parentElement!, new MouseEvent('mouseleave'));
    expect(isOpen()).toBe(false);
  });

  it('leaves a disabled button its focus, and takes its click', async () => {
    const onClick = vi.fn();
    await show(<Button label="Undo" disabled onClick={onClick} />);
    const button = host.querySelector('button')!;
    button.click();
    expect(onClick).not.toHaveBeenCalled();
    expect(button.getAttribute('aria-disabled')).toBe('true');
    expect(button.disabled).toBe(false);
  });
});
