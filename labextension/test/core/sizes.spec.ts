import { describe, expect, it } from 'vitest';

import { weightSizeBytes } from '../../src/panel/core/sizes';
import { fixtures } from './fixtures';

describe('the bytes of a weight', () => {
  it('are Python\u2019s, to the byte', () => {
    for (const { shape, axis, bytes, ...storage } of fixtures.sizes) {
      const what = JSON.stringify({ shape, ...storage });
      expect(weightSizeBytes(shape, axis, storage), what).toBe(bytes);
    }
  });

  it('count axes from the end as well', () => {
    const storage = { bits: 8, granularity: 'channel', symmetric: true };
    expect(weightSizeBytes([10, 20], -1, storage)).toBe(200 + 20 * 4);
  });
});
