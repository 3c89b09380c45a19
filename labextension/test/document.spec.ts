import { describe, expect, it } from 'vitest';

import { readReport } from '../src/document';

describe('readReport', () => {
  it('reads a table by its columns', () => {
    const { title, blocks } = readReport({
      version: 1,
      title: 'LeNet5',
      blocks: [
        {
          type: 'table',
          title: 'Layers',
          columns: [
            { key: 'name', label: 'Layer', kind: 'text' },
            { key: 'sqnr_db', label: 'SQNR (dB)', kind: 'number', digits: 1, bar: true }
          ],
          rows: [{ name: 'conv1', sqnr_db: 41.2, unknown: 3 }, { sqnr_db: 'inf' }]
        }
      ]
    });
    expect(title).toBe('LeNet5');
    expect(blocks).toEqual([
      {
        type: 'table',
        title: 'Layers',
        columns: [
          { key: 'name', label: 'Layer', kind: 'text', digits: undefined, bar: false },
          { key: 'sqnr_db', label: 'SQNR (dB)', kind: 'number', digits: 1, bar: true }
        ],
        rows: [
          ['conv1', 41.2],
          [null, 'inf']
        ]
      }
    ]);
  });

  it('says what to do about another version', () => {
    expect(readReport({ version: 2, title: 'LeNet5', blocks: [] })).toEqual({
      title: 'LeNet5',
      blocks: [
        {
          type: 'unreadable',
          reason:
            'This report has version 2, and this gsjupyter shows version 1. Update gsjupyter, then reload the page.'
        }
      ]
    });
  });

  it('names a block it does not know and shows the others', () => {
    const { blocks } = readReport({
      version: 1,
      blocks: [{ type: 'hologram' }, { type: 'facts', items: [{ label: 'Size', value: 79 }] }]
    });
    expect(blocks).toEqual([
      { type: 'unreadable', reason: expect.stringContaining('the part "hologram"') },
      { type: 'facts', items: [{ label: 'Size', value: '79' }] }
    ]);
  });

  it.each([
    null,
    undefined,
    'text',
    [],
    {},
    { version: 1 },
    { version: 1, blocks: 'none' },
    { version: 1, blocks: [null, 3, { type: 'table', columns: [null], rows: [null, []] }] },
    { version: 1, blocks: [{ type: 'table', columns: [{ digits: 1e9 }], rows: [{}] }] },
    { version: 1, blocks: [{ type: 'messages', items: [{ level: 'shout' }] }] }
  ])('reads %j without an exception', data => {
    expect(() => readReport(data)).not.toThrow();
  });

  it('does not take what every object inherits for a value', () => {
    const columns = [{ key: 'constructor' }, { key: '__proto__' }];
    const [table] = readReport({
      version: 1,
      blocks: [{ type: 'table', columns, rows: [{}] }]
    }).blocks;
    expect(table).toMatchObject({ rows: [[null, null]] });
  });
});
