import { now } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { NetSocket } from '../../node/net.js';
import type { WriteBatch } from '../../node/streams.js';
import type { FileDescriptor } from './file-descriptor.js';

/**
 * The memory of all placeholders: zeros that nobody reads or writes, so the kernel never gives them a page. A placeholder needs a
 * true length: optimised code takes the length of a typed array from the array itself, whatever getters its class has (seen
 * on Node 24).
 */
let zeros = new ArrayBuffer(0);

function zerosOf(count: number): ArrayBuffer {
  if (zeros.byteLength < count) zeros = new ArrayBuffer(count);
  return zeros;
}

let live = 0;
let whenNoneLive: (() => void)[] = [];

/** How many regions have been made and not ended: while it is 0, no write needs to be looked at. */
export function liveRegions(): number {
  return live;
}

/** Call back when the last region has ended; at once if there is none. */
export function afterLastRegion(callback: () => void): void {
  if (live === 0) callback();
  else whenNoneLive.push(callback);
}

/** What each socket is to send, in the order in which it was written. */
const boundTo = hiddenSlot<NetSocket, Placeholder[]>();

/**
 * Stands for a file's bytes on Node's ordinary write path: a Buffer of their length, which is what Writable counts (back-pressure)
 * and HTTP frames. `_writeGeneric` is where the bytes are sent in its place.
 */
export class Placeholder extends Uint8Array {
  /** Bytes that it stands for. */
  readonly count: number;
  /** Its stream ends with it, as far as is known. */
  isLast = false;
  #socket: NetSocket | undefined;
  #ended = false;

  /** @param length how long it seems: the count, unless nothing is framed by it and it would only fill up buffers */
  constructor(count: number, length = count) {
    super(zerosOf(length), 0, length);
    this.count = count;
    live++;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Let it end with the socket that it is bound for, if it does not before. */
  boundFor(socket: NetSocket): this {
    this.#socket = socket;
    const bound = boundTo.get(socket);
    if (bound === undefined) boundTo.set(socket, [this]);
    else bound.push(this);
    return this;
  }

  /** Sent, or given up. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#socket !== undefined) forget(this.#socket, this);
    live--;
    this.release();
    if (live > 0) return;
    const callbacks = whenNoneLive;
    whenNoneLive = [];
    for (const callback of callbacks) callback();
  }

  /** Give back what it holds. Called once. */
  protected release(): void {
    // Nothing is held where no more than the length is known.
  }
}

// Node asks `chunk instanceof Buffer`. A constructor call of Buffer's own is deprecated, so only the prototype is joined.
Object.setPrototypeOf(Placeholder.prototype, Buffer.prototype);

/** Why bytes of a region are copied after all. `refused:` names the errno. */
export type CopyReason =
  | 'small-file'
  | 'socket-full'
  | 'not-resident'
  | 'residency-unknown'
  | 'not-a-plain-socket'
  | `refused:${string}`;

/** A piece of a file whose bytes are still in the file: sendfile sends them from there. */
export class FileRegion extends Placeholder {
  readonly descriptor: FileDescriptor;
  readonly position: number;
  /** The stream it came from, to tell of an error while reading. */
  readonly source:
    | { destroy(error: Error): unknown; readonly destroyed: boolean; readonly closed: boolean }
    | undefined;
  transferred = 0;
  /** How often in a row the socket was waited for, and sendfile took nothing then either. */
  fruitlessWaits = 0;
  /** The same of timers that it was waited for by. */
  fruitlessTimers = 0;
  /** When its bytes were last looked for in the page cache, in milliseconds, and up to which one they were there. */
  residentAt: number;
  residentTo: number;
  /** Why the rest of it is read and written. */
  copyReason: CopyReason | undefined;
  /** Why its file could not be read to the end. */
  error: Error | undefined;

  /** @param length see {@link Placeholder} */
  constructor(
    descriptor: FileDescriptor,
    position: number,
    count: number,
    source?: FileRegion['source'],
    length = count,
  ) {
    super(count, length);
    this.descriptor = descriptor;
    this.position = position;
    this.source = source;
    this.residentAt = now();
    this.residentTo = count;
    descriptor.hold();
  }

  /** Position in the file of the next byte to send. */
  get offset(): number {
    return this.position + this.transferred;
  }

  get remaining(): number {
    return this.count - this.transferred;
  }

  protected override release(): void {
    this.descriptor.letGo();
  }
}

/** Whether a write, or one of a batch, is a region. */
export function hasRegion(writev: boolean, data: WriteBatch | Uint8Array | string): boolean {
  if (!writev || !Array.isArray(data)) return data instanceof Placeholder;
  for (let index = 0; index < data.length; index++) if (data[index]?.chunk instanceof Placeholder) return true;
  return false;
}

function forget(socket: NetSocket, placeholder: Placeholder): void {
  const bound = boundTo.get(socket);
  const index = bound?.indexOf(placeholder) ?? -1;
  if (bound !== undefined && index >= 0) bound.splice(index, 1);
}

/** End all that is bound for a socket that is being destroyed: nobody will send it. */
export function endRegionsOf(socket: NetSocket): void {
  for (const placeholder of boundTo.get(socket)?.slice() ?? []) placeholder.end();
}

/** End what was written before this one and never came: Node dropped it (a write after end, a HEAD response). */
export function endRegionsBefore(socket: NetSocket, next: Placeholder): void {
  const bound = boundTo.get(socket);
  while (bound !== undefined && bound[0] !== undefined && bound[0] !== next && bound.includes(next)) bound[0].end();
}
