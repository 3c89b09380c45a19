import { describe, expect, it } from 'vitest';

import { isUnpacked, weightSizeBytes } from '../../src/panel/core/sizes';
import { fixtures } from './fixtures';

describe('the bytes of a weight', () => {
  it('are Python\u2019s, to the byte', () => {
    for (const { shape, axis, bytes, ...storage } of fixtures.sizes) {
      const what = JSON.stringify({ shape, ...storage });
      expect(weightSizeBytes(shape, axis, storage), what).toBe(bytes);
    }
  });

  it('say where integers are not packed: where too little would be saved', () => {
    const storage = { bits: 4, granularity: 'channel', symmetric: true };
    expect(isUnpacked([10, 84], 0, storage)).toBe(true);
    expect(weightSizeBytes([10, 84], 0, storage)).toBe(840 + 10 * 4);
    expect(isUnpacked([100, 50], 0, storage)).toBe(false);
    expect(isUnpacked([100, 49], 0, storage)).toBe(true);
    expect(isUnpacked([10, 84], 0, { ...storage, bits: 8 })).toBe(false);
  });

  it('count axes from the end as well', () => {
    const storage = { bits: 8, granularity: 'channel', symmetric: true };
    expect(weightSizeBytes([10, 20], -1, storage)).toBe(200 + 20 * 4);
  });
});
