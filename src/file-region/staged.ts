import type { FileCalls, Staging } from '../native/platform.js';
import type { WritePart } from '../node-internals.js';
import { Placeholder } from './file-region.js';

/** Whose bytes are in the staging buffer. */
let holder: StagedRegion | undefined;

/**
 * A piece of a small file that was read when it was cut, and is sent as it was read. Its bytes are in the staging buffer, from
 * where they mostly leave at once; they are copied out when another file needs the buffer first.
 */
export class StagedRegion extends Placeholder {
  readonly #staging: Staging;
  #copy: Buffer | undefined;

  /** Made right after {@link stageWindow} has read its bytes. */
  constructor(files: FileCalls, count: number) {
    super(count);
    this.#staging = files.staging;
    holder = this;
  }

  /** Its bytes are still in the staging buffer. */
  get isStaged(): boolean {
    return holder === this;
  }

  /** Its bytes, in a buffer of their own. */
  bytes(): Buffer {
    if (holder === this) {
      const { buffer, lead } = this.#staging;
      this.#copy = Buffer.copyBytesFrom(buffer, lead, this.count);
      holder = undefined;
    }
    // One that has ended is not sent, and has none.
    this.#copy ??= Buffer.alloc(0);
    return this.#copy;
  }

  protected override release(): void {
    if (holder === this) holder = undefined;
    this.#copy = undefined;
  }
}

/** Read a window of a small file ahead, if that needs no disk. Whoever is in the buffer takes its bytes out of it. */
export function stageWindow(files: FileCalls, fd: number, position: number, count: number): boolean {
  holder?.bytes();
  return files.stage(fd, position, count);
}

/** Writable has turned every other encoding into a Buffer, or passes the name on; 'buffer' goes with Buffers alone. */
export function bufferEncoding(name: string): BufferEncoding {
  return Buffer.isEncoding(name) ? name : 'utf8';
}

/** The most bytes that a UTF-16 unit is in any encoding. */
const MOST_BYTES_OF_UNIT = 3;

function mostBytesOf({ chunk }: WritePart): number {
  return typeof chunk === 'string' ? chunk.length * MOST_BYTES_OF_UNIT : chunk.length;
}

function put(buffer: Buffer, { chunk, encoding }: WritePart, at: number): number {
  if (typeof chunk === 'string') return at + buffer.write(chunk, at, bufferEncoding(encoding));
  buffer.set(chunk, at);
  return at + chunk.length;
}

/**
 * What goes ahead of a staged region, and its own bytes, in one piece, which is valid until the next call. What goes ahead is
 * measured by writing it: the length of a string in base64 or hex is known only once it was decoded.
 *
 * @returns undefined if it might be too much to go ahead
 */
export function joined(
  { buffer, lead }: Staging,
  ahead: readonly WritePart[],
  region: StagedRegion,
): Buffer | undefined {
  let most = 0;
  for (const part of ahead) most += mostBytesOf(part);
  if (most > lead) return undefined;
  let length = 0;
  for (const part of ahead) length = put(buffer, part, length);
  buffer.copyWithin(lead - length, 0, length);
  return buffer.subarray(lead - length, lead + region.count);
}
