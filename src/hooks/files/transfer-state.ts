import type { read, readSync } from 'node:fs';
import type { FileCalls } from '../../native/platform.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { setImmediate } from '../../node/clock.js';
import type { NetSocket, SocketHandle, WriteGeneric } from '../../node/net.js';
import type { WriteBatch, WriteCallback, WritePart } from '../../node/streams.js';
import { connectionError } from './connection-error.js';
import { type CopyReason, Placeholder } from './region.js';

/** Sent in one turn of the event loop, so that a client that takes all it is given does not keep the loop to itself. */
export const TURN = 1 << 20;

/** What a transfer needs from outside. */
export interface TransferContext {
  readonly files: FileCalls;
  /** What goes ahead of a region, mostly HTTP's headers, is sent in the same segment. */
  readonly joins: boolean;
  /** Node's own functions. */
  readonly write: WriteGeneric;
  readonly read: typeof read;
  readonly readSync: typeof readSync;
  addBytesWritten(handle: SocketHandle, bytes: number): void;
  /** A write that is queued belongs to one of which more has been taken already. */
  noteWriteProgress(socket: NetSocket): void;
  /** `bytes` went by sendfile, or were copied for the reason given. */
  onSent(bytes: number): void;
  onCopied(bytes: number, reason: CopyReason): void;
  /** A file had fewer bytes than its region. */
  onTruncated(): void;
}

/** Parts of one call of `_writeGeneric`, sent one after another; `callback` is called once, at the end. */
export interface Transfer {
  readonly context: TransferContext;
  readonly socket: NetSocket;
  readonly parts: readonly WritePart[];
  readonly callback: WriteCallback;
  next: number;
  /** Bytes copied since others had a turn of the event loop. */
  copied: number;
  /** Goes on until all is sent or something has to be waited for. */
  readonly advance: (state: Transfer) => void;
}

/** End what is left and tell Node, as its own write does when the socket is destroyed under it (null) or fails. */
export function abandon(state: Transfer, error: Error | null): void {
  for (const { chunk } of state.parts) if (chunk instanceof Placeholder) chunk.end();
  state.callback(error);
}

/** Whether a call of ours was told that the connection is broken. Then all is over, as after a write of Node's own. */
export function failed(state: Transfer, sent: number): boolean {
  const error = sent < 0 ? connectionError(-sent) : undefined;
  if (error !== undefined) abandon(state, error);
  return error !== undefined;
}

/** Write by Node's own code. True if that is done already, so that the caller's loop goes on: never recurse into it. */
export function write(state: Transfer, data: WriteBatch | Uint8Array, encoding: string): boolean {
  let hasReturned = false;
  let isDone = false;
  state.context.write.call(state.socket, Array.isArray(data), data, encoding, (error) => {
    if (error) return abandon(state, error);
    isDone = true;
    if (hasReturned) state.advance(state);
  });
  hasReturned = true;
  return isDone;
}

export function goOnNextTurn(state: Transfer): boolean {
  setImmediate(state.advance, state);
  return false;
}

/** Whether a region's bytes can go past Node's own write: to a plain socket of which nothing is queued. */
export function canOvertakeNode({ socket }: Transfer, region: Placeholder): boolean {
  const handle = socket._handle;
  return !region.ended && familyOf(handle) !== undefined && (handle?.writeQueueSize ?? 0) === 0;
}
