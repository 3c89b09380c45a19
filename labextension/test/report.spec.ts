import { describe, expect, it } from 'vitest';

import { readReport } from '../src/document';
import { reportView } from '../src/report';
import { showReport } from '../src/reportPage';
import { FakeResizes, fakePage } from './charts/page';

const HOSTILE = '<img src=x onerror=alert(1)>';

function reportOf(rows: object[]): HTMLElement {
  return reportView({
    version: 1,
    title: HOSTILE,
    blocks: [
      { type: 'facts', items: [{ label: HOSTILE, value: HOSTILE }] },
      {
        type: 'table',
        title: HOSTILE,
        columns: [
          { key: 'name', label: HOSTILE, kind: 'text' },
          { key: 'sqnr_db', label: 'SQNR (dB)', kind: 'number', digits: 1, bar: true }
        ],
        rows
      },
      { type: 'messages', items: [{ level: 'warning', text: HOSTILE }] },
      { type: HOSTILE }
    ]
  });
}

const few = [
  { name: HOSTILE, sqnr_db: 30 },
  { name: 'fc1', sqnr_db: 20 }
];
const many = Array.from({ length: 13 }, (_, index) => ({ name: `fc${index}`, sqnr_db: index }));

const shownNames = (view: HTMLElement) =>
  [...view.querySelectorAll('tbody th')].map(cell => cell.textContent);

describe('reportView', () => {
  it('shows names as text, wherever they stand', () => {
    const view = reportOf(few);
    expect(view.querySelector('img')).toBeNull();
    for (const place of ['.gs-Report-title', 'dt', 'dd', 'caption', 'thead button', 'tbody th']) {
      expect(view.querySelector(place)?.textContent, place).toBe(HOSTILE);
    }
    expect(view.querySelector('li')?.textContent).toBe(`Warning${HOSTILE}`);
    expect(view.querySelector('.gs-Report-unreadable')?.textContent).toContain(HOSTILE);
  });

  it('sorts by a heading and tells assistive technology', () => {
    const view = reportOf(few);
    const [, heading] = view.querySelectorAll<HTMLElement>('thead th');
    expect(heading.getAttribute('aria-sort')).toBe('none');
    heading.querySelector('button')?.click();
    expect(heading.getAttribute('aria-sort')).toBe('ascending');
    expect(shownNames(view)).toEqual(['fc1', HOSTILE]);
  });

  it('keeps the keys of whatever has the focus in it from JupyterLab', () => {
    const view = reportOf(few);
    document.body.append(view);
    const heading = view.querySelector<HTMLElement>('thead button')!;
    heading.focus();
    expect(heading.getAttribute('data-lm-suppress-shortcuts')).toBe('true');
    view.remove();
  });

  it('offers a filter for a long table only', () => {
    expect(reportOf(few).querySelector('input')).toBeNull();
    const view = reportOf(many);
    const input = view.querySelector('input')!;
    input.value = 'fc1';
    input.dispatchEvent(new Event('input'));
    expect(shownNames(view)).toEqual(['fc1', 'fc10', 'fc11', 'fc12']);
    expect(view.querySelector('output')?.textContent).toBe('4 of 13');
  });

  it('keeps the number beside its bar as text', () => {
    const [cell] = reportOf(few).querySelectorAll('td');
    expect(cell.textContent).toBe('30.0');
    const bar = cell.querySelector<HTMLElement>('.gs-Report-bar');
    expect(bar?.style.getPropertyValue('--gs-share')).toBe('1.000');
  });
});

describe('the layers of a report', () => {
  const page = fakePage();
  const counts = Array.from({ length: 64 }, (_, bin) => (bin === 3 ? 0 : bin));
  const histogram = {
    low: -1,
    high: 1,
    counts,
    scale: 0.125,
    zero_point: 1,
    grid_low: -7,
    grid_high: 8
  };
  const layer = {
    name: HOSTILE,
    operator: 'Conv2D',
    weights: 'int4',
    activations: 'int8',
    sqnr_db: 18.5,
    input_sqnr_db: null,
    low: -0.9,
    high: 1,
    bytes_before: 2400,
    bytes_after: 354,
    error_share: 0.75,
    histogram
  };
  const other = {
    ...layer,
    name: 'fc1',
    weights: 'float32',
    sqnr_db: 'inf',
    error_share: 0,
    histogram: null
  };
  const documentOf = (...layers: unknown[]) => ({
    version: 1,
    title: 'LeNet5',
    blocks: [{ type: 'layers', title: HOSTILE, layers }]
  });
  const blockOf = (...layers: unknown[]) => {
    const [block] = readReport(documentOf(...layers)).blocks;
    return block.type === 'layers' ? block : expect.fail(block.type);
  };
  const facts = (view: HTMLElement) =>
    Object.fromEntries(
      [...view.querySelectorAll('dt')].map(term => [
        term.textContent,
        term.nextElementSibling?.textContent
      ])
    );

  it('are read with the values that the grid can hold', () => {
    const [read, inFloat] = blockOf(layer, other).layers;
    expect(read).toMatchObject({ name: HOSTILE, sqnrDb: 18.5, inputSqnrDb: null, bytesAfter: 354 });
    expect(read.histogram?.counts).toEqual(counts);
    expect(read.histogram?.grid).toHaveLength(16);
    expect(read.histogram?.grid.slice(0, 2)).toEqual([-1, -0.875]);
    expect([read.histogram?.clipLow, read.histogram?.clipHigh]).toEqual([-1, 0.9375]);
    expect(inFloat).toMatchObject({ sqnrDb: 'inf', histogram: null });
  });

  it('count no weight as clipped only because it shares the last bin with the end of the grid', () => {
    const wide = { ...histogram, high: 1.0005, scale: 0.001, grid_low: -999, grid_high: 1000 };
    const [read] = blockOf({ ...layer, histogram: wide }).layers;
    expect(read.histogram?.clipLow).toBe(-1);
    expect(read.histogram?.clipHigh).toBe(1.0005);
  });

  it('are read without what is not as agreed', () => {
    const broken = [
      { ...histogram, low: 1 },
      { ...histogram, low: 'x' },
      { ...histogram, counts: 7 },
      { ...histogram, counts: [] },
      { ...histogram, counts: [1, -1] },
      { ...histogram, counts: [1, null] },
      { ...histogram, counts: Array(1e5).fill(1) }
    ];
    for (const wrong of broken) {
      expect(blockOf({ ...layer, histogram: wrong }).layers[0].histogram).toBeNull();
    }
    const grids = [{ scale: 0 }, { scale: 'inf' }, { zero_point: null }, { grid_high: 1e12 }];
    for (const wrong of grids) {
      const [read] = blockOf({ ...layer, histogram: { ...histogram, ...wrong } }).layers;
      expect(read.histogram?.grid).toEqual([]);
    }
    const [strange] = blockOf(7, { name: 7, sqnr_db: {}, bytes_after: 'inf' }).layers;
    expect(strange).toMatchObject({ name: '7', sqnrDb: null, bytesAfter: null, histogram: null });
  });

  it('show the layer with the most error, and its histogram', () => {
    const view = reportView(documentOf(other, layer));
    document.body.append(view);
    FakeResizes.tell(600, 268);
    expect(facts(view)).toMatchObject({
      Layer: HOSTILE,
      Weights: 'int4',
      Size: '2.4 kB \u2192 354 B',
      'SQNR of the weights': '18.5 dB',
      'Share of the output error': '75.0 %'
    });
    expect(view.querySelector('img')).toBeNull();
    // 64 bins, one of them and the one at the start empty.
    expect(page.recordings[1].of('rect').length).toBe(62);
  });

  it('show the layer that is chosen, and no histogram where it has none', async () => {
    const view = reportView(documentOf(other, layer));
    document.body.append(view);
    FakeResizes.tell(600, 268);
    const chart = view.querySelector('[role=application]')!;
    for (const key of ['Home', 'Enter']) {
      chart.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    }
    expect(facts(view)).toMatchObject({ Layer: 'fc1', 'SQNR of the weights': '\u221e dB' });
    const histograms = view.querySelector<HTMLElement>('.gs-HistogramChart')!;
    expect(histograms.parentElement?.hidden).toBe(true);
  });

  it('offer the numbers that there are, in the order that is asked for', async () => {
    const view = reportView(documentOf(other, layer));
    document.body.append(view);
    FakeResizes.tell(600, 268);
    const [measure, order] = view.querySelectorAll('select');
    const offered = [...measure.options].map(option => option.value);
    expect(offered).toEqual(['sqnr', 'bytes', 'share', 'bits', 'range']);
    order.value = 'lowest';
    order.dispatchEvent(new Event('change'));
    await page.frame();
    const names = page.recordings[0].texts.filter(text => text === 'fc1' || text.startsWith('<i'));
    expect(names).toHaveLength(2);
    expect(names[1]).toBe('fc1');
  });

  it('are shown in words where there are none', () => {
    const view = reportView(documentOf());
    expect(view.textContent).toContain('No layers.');
    expect(view.querySelector('canvas')).toBeNull();
  });
});

describe('showReport', () => {
  it('brings its own look only where Jupyter has none', () => {
    const host = document.createElement('main');
    document.body.append(host);
    showReport(host, { version: 1, title: HOSTILE, blocks: [] });
    expect(host.querySelector('.gs-Report-title')?.textContent).toBe(HOSTILE);
    expect(host.classList.contains('gs-Page')).toBe(true);
    const { style } = document.documentElement;
    style.setProperty('--jp-ui-font-color1', 'black');
    showReport(host, { version: 1, title: 'again', blocks: [] });
    expect(host.classList.contains('gs-Page')).toBe(false);
    style.removeProperty('--jp-ui-font-color1');
  });
});
