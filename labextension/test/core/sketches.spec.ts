import { deflateSync, inflateSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { decode } from '../../src/panel/core/sketches';
import { errorPower, signalPower } from '../../src/panel/core/weightErrors';
import { fixtures } from './fixtures';

describe('errors from sketches', () => {
  for (const { block, errors } of fixtures.blocks) {
    const kind = `${block.granularity}, ${block.symmetric ? 'symmetric' : 'asymmetric'}`;
    it(`are Python's: ${kind}`, async () => {
      const sketches = await decode(block);
      for (const { layer, bits, clipping, narrow_range, ...expected } of errors) {
        const error = errorPower(sketches[layer], bits, clipping, narrow_range);
        const where = `layer ${layer}, ${bits} bits, clipping ${clipping}`;
        if (expected.error === 0) {
          expect(error, where).toBe(0);
        } else {
          const sqnrDb = 10 * Math.log10(signalPower(sketches[layer]) / error);
          expect(10 * Math.log10(error / expected.error), where).toBeCloseTo(0, 5);
          expect(sqnrDb, where).toBeCloseTo(expected.sqnr_db ?? NaN, 5);
        }
      }
    });
  }
});

describe('a block', () => {
  const { block } = fixtures.blocks[0];
  const raw = inflateSync(Buffer.from(block.data as string, 'base64'));
  const withBytes = (bytes: Uint8Array) => ({
    ...block,
    data: deflateSync(bytes).toString('base64')
  });

  it('is the same from a kernel, as bytes somewhere in a buffer', async () => {
    const deflated = Buffer.from(block.data as string, 'base64');
    const padded = new Uint8Array(deflated.length + 7);
    padded.set(deflated, 3);
    const data = new DataView(padded.buffer, 3, deflated.length);
    const [fromText, fromBytes] = await Promise.all([decode(block), decode({ ...block, data })]);
    expect(fromBytes[2].counts).toEqual(fromText[2].counts);
    expect(errorPower(fromBytes[2], 4, 0.7, true)).toBe(errorPower(fromText[2], 4, 0.7, true));
  });

  it.each([
    ['cut short', withBytes(raw.subarray(0, raw.length - 2))],
    ['longer than it should be', withBytes(Buffer.concat([raw, Buffer.alloc(2)]))],
    ['of another version', withBytes(Buffer.concat([Buffer.from([9]), raw.subarray(1)]))],
    ['of other layers', { ...block, layers: [0] }],
    ['of the other kind', { ...block, symmetric: false }],
    ['empty', withBytes(Buffer.alloc(0))],
    ['not deflated', { ...block, data: 'AAAA' }],
    ['not even base64', { ...block, data: '<img src=x>' }]
  ])('is refused: %s', async (_, bad) => {
    await expect(decode(bad)).rejects.toThrow();
  });

  it('is refused before it fills the memory', async () => {
    const data = deflateSync(Buffer.alloc(50_000_000)).toString('base64');
    await expect(decode({ ...block, data })).rejects.toThrow('more than');
  });
});
