/** Unpacks what Python deflated, a limited number of bytes of it: a notebook's file may hold anything. */

/**
 * The bytes that `data` holds, which is deflated (zlib), as such or as base64 text; an error if they are more than
 * `most`.
 */
export async function inflated(data: DataView | string, most: number): Promise<ArrayBuffer> {
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  // What goes wrong here is heard of where the other end is read.
  writer.write(bytesOf(data)).catch(() => undefined);
  writer.close().catch(() => undefined);
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = stream.readable.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > most) {
      await reader.cancel();
      throw new Error(`The data hold more than ${most} bytes.`);
    }
    pieces.push(read.value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all.buffer;
}

function bytesOf(data: DataView | string): Uint8Array<ArrayBuffer> {
  if (typeof data === 'string') {
    return Uint8Array.from(atob(data), character => character.charCodeAt(0));
  }
  return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
