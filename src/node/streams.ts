import type { ReadStream } from 'node:fs';
import { valueBySymbol } from './symbols.js';

export type WriteCallback = (error?: Error | null) => void;

/** A part of a `_writev` batch (lib/internal/streams/writable.js `clearBuffer`). */
export interface WritePart {
  readonly chunk: Uint8Array | string;
  readonly encoding: string;
}

/** A `_writev` batch. With `allBuffers`, no part is a string. */
export type WriteBatch = WritePart[] & { allBuffers?: boolean };

/** lib/internal/fs/streams.js. Test: hooks/files/read-stream. */
export interface FileReadStream extends ReadStream {
  readonly fd: number | null;
  /** Next position to read from; undefined reads from the descriptor's own position. */
  readonly pos: number | undefined;
  /** Position of the last byte, or Infinity. */
  readonly end: number;
  /** Absent if the stream was made with a descriptor instead of a path. */
  readonly flags?: string | number;
  readonly bytesRead: number;
  readonly mode?: number;
  /** Whether the stream closes its descriptor. */
  readonly autoClose: boolean;
  readonly _readableState: ReadableState;
  /** A method of the app's is called in place of fs.open(). */
  readonly open?: unknown;
  _construct(callback: (error?: Error | null) => void): void;
  _read(size: number): void;
  _destroy(error: Error | null, callback: (error?: Error | null) => void): void;
}

/** lib/internal/streams/readable.js. */
export interface ReadableState {
  readonly pipes: readonly unknown[];
  readonly length: number;
  readonly objectMode: boolean;
  readonly flowing: boolean | null;
  readonly ended: boolean;
  readonly errored: Error | null;
  readonly decoder: unknown;
  /** `_read` was called and has not pushed yet. */
  readonly reading: boolean;
  readonly readableListening: boolean;
  /** The destination that the one pipe of a paused stream waits for; a set where there were several (lib/internal/streams/readable.js `pipe`). */
  readonly awaitDrainWriters: unknown;
}

/** The stream's own `fs`. */
export function fsOf(stream: object): unknown {
  return valueBySymbol(stream, 'kFs');
}

/** The listener of an event that has only one: Node keeps the function itself, not an array (lib/events.js). */
export function onlyListener(emitter: object, event: string): Function | undefined {
  const listener = (emitter as { readonly _events?: Readonly<Record<string, unknown>> })._events?.[event];
  return typeof listener === 'function' ? listener : undefined;
}
