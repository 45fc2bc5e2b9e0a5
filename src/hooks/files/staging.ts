import type { FileCalls, Staging } from '../../native/platform.js';
import type { WritePart } from '../../node/streams.js';
import { Placeholder } from './region.js';

/** The region whose bytes are in each of the staging buffers. */
const holders: (StagedRegion | undefined)[] = [];

/** The buffer that was read to last. No region holds it until one is made. */
let lastSlot = 0;

function copyOut({ buffers, lead }: Staging, slot: number, count: number): Buffer {
  const chunk = Buffer.allocUnsafeSlow(count);
  buffers[slot]?.copy(chunk, 0, lead, lead + count);
  return chunk;
}

/**
 * A piece of a small file that was read when it was cut, and is sent as it was read. Its bytes are in a staging buffer and mostly
 * leave from there soon. They are copied out when others need the buffer first.
 */
export class StagedRegion extends Placeholder {
  readonly #staging: Staging;
  readonly #slot: number;
  #copy: Buffer | undefined;

  /** Made right after {@link stageWindow} has read its bytes. */
  constructor(files: FileCalls, count: number) {
    super(count);
    this.#staging = files.staging;
    this.#slot = lastSlot;
    holders[this.#slot] = this;
  }

  /** The staging buffer that its bytes are still in, behind {@link Staging.lead}. */
  get staged(): Buffer | undefined {
    return holders[this.#slot] === this ? this.#staging.buffers[this.#slot] : undefined;
  }

  /** Its bytes, in a buffer of their own. */
  bytes(): Buffer {
    if (this.staged !== undefined) {
      this.#copy = copyOut(this.#staging, this.#slot, this.count);
      holders[this.#slot] = undefined;
    }
    // One that has ended is not sent, and has none.
    this.#copy ??= Buffer.alloc(0);
    return this.#copy;
  }

  protected override release(): void {
    if (holders[this.#slot] === this) holders[this.#slot] = undefined;
    this.#copy = undefined;
  }
}

/** A buffer that is free, or a new one, or else that of the region that has waited longest, which takes its bytes out of it. */
function freeSlot({ buffers, most }: Staging): number {
  for (let tried = 0; tried < buffers.length; tried++) {
    const slot = (lastSlot + tried) % buffers.length;
    if (holders[slot] === undefined) return slot;
  }
  if (buffers.length < most) return buffers.length;
  // They are given out in turn.
  const slot = (lastSlot + 1) % buffers.length;
  holders[slot]?.bytes();
  return slot;
}

/** Read a window of a small file ahead, if that needs no disk. */
export function stageWindow(files: FileCalls, fd: number, position: number, count: number): boolean {
  lastSlot = freeSlot(files.staging);
  return files.stage(fd, position, count, lastSlot);
}

/** The window that was read ahead last, in a buffer of its own, as somebody may keep it. */
export function copyWindow({ staging }: FileCalls, count: number): Buffer {
  return copyOut(staging, lastSlot, count);
}

/** Writable has turned every other encoding into a Buffer, or passes the name on; 'buffer' goes with Buffers alone. */
function bufferEncoding(name: string): BufferEncoding {
  return Buffer.isEncoding(name) ? name : 'utf8';
}

export function bytesOf({ chunk, encoding }: WritePart): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, bufferEncoding(encoding)) : chunk;
}

/** Most bytes of a UTF-16 unit in any encoding. */
const MOST_BYTES_OF_UNIT = 3;

function mostBytesOf({ chunk }: WritePart): number {
  return typeof chunk === 'string' ? chunk.length * MOST_BYTES_OF_UNIT : chunk.length;
}

/** @returns where the part ends */
function put(buffer: Buffer, { chunk, encoding }: WritePart, at: number): number {
  if (typeof chunk === 'string') return at + buffer.write(chunk, at, bufferEncoding(encoding));
  buffer.set(chunk, at);
  return at + chunk.length;
}

/**
 * What goes ahead of a staged region, and its own bytes, in one piece. It is valid until its buffer is read to again. What goes
 * ahead is measured by writing it: the length of a string in base64 or hex is known only once it was decoded.
 *
 * @returns undefined if it might be too much to go ahead, or the region is not staged any more
 */
export function joined({ lead }: Staging, ahead: readonly WritePart[], region: StagedRegion): Buffer | undefined {
  const { staged } = region;
  let most = 0;
  for (const part of ahead) most += mostBytesOf(part);
  if (staged === undefined || most > lead) return undefined;
  let length = 0;
  for (const part of ahead) length = put(staged, part, length);
  staged.copyWithin(lead - length, 0, length);
  return staged.subarray(lead - length, lead + region.count);
}
