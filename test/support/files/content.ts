import { createHash } from 'node:crypto';

/** Bytes of which no two ranges are equal: a missing piece is noticed. */
export function content(size: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    // xorshift32: it goes through every state but 0 before one repeats.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

/** Bodies are compared by this. A message with megabytes of difference is unreadable. */
export function digest(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  let length = 0;
  for (const part of parts) {
    hash.update(part);
    length += Buffer.byteLength(part);
  }
  return `${length} bytes, ${hash.digest('hex')}`;
}
