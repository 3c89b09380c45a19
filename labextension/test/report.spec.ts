import { describe, expect, it } from 'vitest';

import { reportView } from '../src/report';

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
