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
  const size = shape.reduce((product, length) => product * length, 1);
  const channels = shape.at(axis) ?? 0;
  const row = channels > 0 ? Math.floor(size / channels) : 0;
  const asked = groupSize(storage.granularity);
  let scales = storage.granularity === 'tensor' ? 1 : channels;
  let stored = size;
  if (asked !== null) {
    const group = Math.max(1, Math.min(asked, row));
    scales = channels * Math.ceil(row / group);
    stored = scales * group;
  }
  const each = SCALE_BYTES + (storage.symmetric ? 0 : ZERO_POINT_BYTES);
  const packed = Math.ceil((stored * storage.bits) / BYTE);
  return (stored - packed >= UNPACKING_BYTES ? packed : stored) + scales * each;
}

/** The N of `group:N`; null for other granularities. */
export function groupSize(granularity: string): number | null {
  const found = /^group:([1-9]\d{0,8})$/.exec(granularity);
  return found === null ? null : Number(found[1]);
}
