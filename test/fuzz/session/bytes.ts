import { content } from '../../support/files/content.js';
import type { Content, Data, FileStep } from './program.js';

export function contentOf({ size, seed }: Content): Buffer {
  return content(size, seed);
}

export function textOf(data: Extract<Data, { as: 'string' }>): string {
  return data.text.repeat(data.repeat);
}

/** What Node makes of it. */
export function bytesOf(data: Data): Buffer {
  return data.as === 'string' ? Buffer.from(textOf(data), data.encoding as BufferEncoding) : contentOf(data);
}

/** The length that HTTP's framing computes for a write, without looking at the bytes. */
export function framedLength(data: Data): number {
  return data.as === 'string' ? Buffer.byteLength(textOf(data), data.encoding as BufferEncoding) : data.size;
}

/** The block of a fill, again and again. */
export function fillBlock(block: number): Buffer {
  return content(block, block);
}

/** The part of a file that a stream reads. */
export function rangeOf(step: FileStep, size: number): { readonly start: number; readonly length: number } {
  const start = Math.min(step.start ?? 0, size);
  if (step.highWaterMark === 0) return { start, length: 0 };
  return { start, length: Math.min((step.end ?? Number.POSITIVE_INFINITY) + 1, size) - start };
}
