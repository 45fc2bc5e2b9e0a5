import { createHash } from 'node:crypto';

/** Bytes that look like no others: two different ranges of them are never equal, so a piece that is missing shows. */
export function content(size: number, seed = 1): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    // xorshift32: every state but 0 comes up once before any comes up again.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, size);
}

/** What bodies are compared by; a difference of megabytes is no message for people. */
export function digest(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash('sha256');
  let length = 0;
  for (const part of parts) {
    hash.update(part);
    length += Buffer.byteLength(part);
  }
  return `${length} bytes, ${hash.digest('hex')}`;
}
