/** How many bytes a quantized weight takes: `gsjupyter.quantization.weight_size`, to the byte. */

const SCALE_BYTES = 4;
const ZERO_POINT_BYTES = 1;
const BYTE = 8;

/** What must be saved before integers are certain to be packed. */
const UNPACKING_BYTES = 2500;

/** A grid, as far as bytes go. */
export interface Storage {
  bits: number;
  granularity: string;
  symmetric: boolean;
}

/** The bytes of a weight: its integers, packed where that makes a file smaller, with scales and zero points. */
export function weightSizeBytes(shape: readonly number[], axis: number, storage: Storage): number {
  const { stored, scales } = countsOf(shape, axis, storage);
  const each = SCALE_BYTES + (storage.symmetric ? 0 : ZERO_POINT_BYTES);
  const integers = paysToPack(stored, storage) ? packedBytes(stored, storage) : stored;
  return integers + scales * each;
}

/** Whether a weight of fewer than 8 bits has a byte for each of its integers. */
export function isUnpacked(shape: readonly number[], axis: number, storage: Storage): boolean {
  const { stored } = countsOf(shape, axis, storage);
  return storage.bits < BYTE && !paysToPack(stored, storage);
}

/** How many integers are stored, with what fills up the last groups, and how many scales. */
function countsOf(
  shape: readonly number[],
  axis: number,
  { granularity }: Storage
): { stored: number; scales: number } {
  const size = shape.reduce((product, length) => product * length, 1);
  const channels = shape.at(axis) ?? 0;
  const row = channels > 0 ? Math.floor(size / channels) : 0;
  const asked = groupSize(granularity);
  if (asked === null) {
    return { stored: size, scales: granularity === 'tensor' ? 1 : channels };
  }
  const group = Math.max(1, Math.min(asked, row));
  const scales = channels * Math.ceil(row / group);
  return { stored: scales * group, scales };
}

function packedBytes(stored: number, { bits }: Storage): number {
  return Math.ceil((stored * bits) / BYTE);
}

function paysToPack(stored: number, storage: Storage): boolean {
  return stored - packedBytes(stored, storage) >= UNPACKING_BYTES;
}

/** The N of `group:N`; null for other granularities. */
export function groupSize(granularity: string): number | null {
  const found = /^group:([1-9]\d{0,8})$/.exec(granularity);
  return found === null ? null : Number(found[1]);
}
