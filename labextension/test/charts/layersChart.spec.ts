import { describe, expect, it, vi } from 'vitest';

import { LayersChart, LayersView } from '../../src/charts';
import { HOSTILE, layer, manyLayers } from './layers';
import { FakeResizes, fakePage } from './page';

const page = fakePage();

function chartOf(count = 5, view: Partial<LayersView> = {}) {
  const on = { select: vi.fn(), hover: vi.fn() };
  const host = document.createElement('div');
  document.body.append(host);
  const chart = new LayersChart(host, on);
  const layers = manyLayers(count);
  const order = layers.map((_, index) => index);
  const whole: LayersView = { measure: 'sqnr', order, selected: [], language: 'en', ...view };
  chart.update(layers, whole);
  FakeResizes.tell(866, 268);
  const scroller = host.querySelector<HTMLElement>('[role=application]')!;
  const canvas = host.querySelector('canvas')!;
  const press = (key: string, held: KeyboardEventInit = {}) =>
    scroller.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held })
    );
  const point = (type: string, column: number, held: MouseEventInit = {}) => {
    const event = new MouseEvent(type, { bubbles: true, button: 0, ...held });
    const pitch = (866 - 54 - 12) / count;
    Object.defineProperty(event, 'offsetX', { value: 54 + (column + 0.5) * pitch });
    canvas.dispatchEvent(event);
  };
  const said = () => host.querySelector('[aria-live]')?.textContent;
  return { chart, host, scroller, layers, view: whole, on, press, point, said };
}

describe('LayersChart', () => {
  it('draws many updates of a frame once, and the last one', async () => {
    const { chart, layers, view } = chartOf();
    await page.frame();
    const [recording] = page.recordings;
    const cleared = vi.spyOn(recording, 'clearRect');
    for (let count = 1; count <= 20; count += 1) {
      chart.update(layers.slice(0, 1 + (count % 3)), view);
    }
    await chart.drawn;
    expect(cleared).toHaveBeenCalledTimes(1);
    expect(recording.of('rect', 'bar')).toHaveLength(3);
    chart.update(layers, view);
    await Promise.resolve();
    expect(cleared).toHaveBeenCalledTimes(1);
    await page.frame();
    expect(recording.of('rect', 'bar')).toHaveLength(5);
  });

  it('selects by mouse: one, a range, another one, what is dragged over', () => {
    const { point, on } = chartOf();
    const click = (column: number, held: MouseEventInit = {}) => {
      point('pointerdown', column, held);
      point('pointerup', column, held);
    };
    click(1);
    expect(on.select).toHaveBeenLastCalledWith([1]);
    click(3, { shiftKey: true });
    expect(on.select).toHaveBeenLastCalledWith([1, 2, 3]);
    click(2, { ctrlKey: true });
    expect(on.select).toHaveBeenLastCalledWith([1, 3]);
    point('pointerdown', 4);
    point('pointermove', 3);
    point('pointermove', 2);
    expect(on.select).toHaveBeenCalledTimes(3);
    point('pointerup', 2);
    expect(on.select).toHaveBeenLastCalledWith([2, 3, 4]);
  });

  it('tells which layer the mouse is on, by its number, once', () => {
    const { point, on } = chartOf(5, { order: [4, 3, 2, 1, 0] });
    point('pointermove', 0);
    point('pointermove', 0);
    point('pointerleave', 0);
    expect(on.hover.mock.calls).toEqual([[4], [null]]);
  });

  it('moves and selects by keyboard and says where it is', () => {
    const { press, said, on } = chartOf();
    press('ArrowRight');
    press('ArrowRight');
    expect(said()).toBe('conv1, Conv2D, 1.0 dB, 2 of 5');
    press('ArrowRight', { shiftKey: true });
    expect(on.select).toHaveBeenLastCalledWith([1, 2]);
    expect(said()).toBe('conv2, Conv2D, 2.0 dB, selected, 3 of 5');
    press('End');
    press(' ');
    expect(on.select).toHaveBeenLastCalledWith([1, 2, 4]);
    press('Home');
    press('Enter');
    expect(on.select).toHaveBeenLastCalledWith([0]);
    press('a', { ctrlKey: true });
    expect(on.select).toHaveBeenLastCalledWith([0, 1, 2, 3, 4]);
    press('Escape');
    expect(on.select).toHaveBeenLastCalledWith([]);
  });

  it('leaves keys alone that are not its own', () => {
    const { press } = chartOf();
    // Dispatching is true where nobody prevented what the key does otherwise.
    expect(['x', 'Tab', 'Escape'].map(key => press(key))).toEqual([true, true, true]);
    expect(press('ArrowRight')).toBe(false);
  });

  it('has a name, a summary, and its numbers as a table once that is opened', () => {
    const { host, scroller, layers, view, chart } = chartOf();
    layers[0] = layer(HOSTILE, { sqnr: 12 });
    chart.update(layers, view);
    FakeResizes.tell(866, 268);
    expect(scroller.getAttribute('aria-label')).toBe('SQNR of the weights, by layer');
    const summary = document.getElementById(scroller.getAttribute('aria-describedby')!);
    expect(summary?.textContent).toContain(`5 layers. Lowest: 1.0 dB (conv1)`);
    expect(summary?.textContent).toContain(`Highest: 12.0 dB (${HOSTILE})`);
    expect(host.querySelector('table')).toBeNull();
    const details = host.querySelector('details')!;
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
    expect([...host.querySelectorAll('tbody tr:first-child > *')].map(c => c.textContent)).toEqual([
      HOSTILE,
      'Conv2D',
      '12.0 dB'
    ]);
    expect(host.querySelector('img')).toBeNull();
  });

  it('describes itself where it is not shown', async () => {
    const host = document.createElement('div');
    const chart = new LayersChart(host, { select: vi.fn(), hover: vi.fn() });
    chart.update(manyLayers(2), { measure: 'sqnr', order: [0, 1], selected: [], language: 'zh' });
    await chart.drawn;
    expect(page.recordings).toHaveLength(0);
    expect(host.textContent).toContain('共 2 层');
  });

  it('watches the theme only while it is on the page, and nothing once it is destroyed', () => {
    const { chart, host } = chartOf();
    expect(page.themeListeners()).toBeGreaterThan(0);
    FakeResizes.tell(0, 0);
    expect(page.themeListeners()).toBe(0);
    FakeResizes.tell(500, 268);
    chart.destroy();
    expect(page.themeListeners()).toBe(0);
    expect(FakeResizes.all.flatMap(({ observed }) => observed)).toEqual([]);
    expect(host.childElementCount).toBe(0);
  });

  it('is drawn anew with the colours of another theme', async () => {
    chartOf();
    await page.frame();
    const [recording] = page.recordings;
    const cleared = vi.spyOn(recording, 'clearRect');
    page.theme = 'dark-';
    document.body.setAttribute('data-jp-theme-light', 'false');
    await new Promise(resolve => setTimeout(resolve));
    await page.frame();
    expect(cleared).toHaveBeenCalledTimes(1);
    expect(recording.of('rect', 'dark-bar')).toHaveLength(5);
  });
});
