import type { HttpMessage } from '../http.js';
import type { NetSocket } from '../net.js';
import type { FileReadStream } from '../streams.js';
import { mutable } from './replace.js';

/** Take back a call of `_read`. Readable calls it again when somebody wants data. */
export function postponeRead({ _readableState }: FileReadStream | NetSocket): void {
  mutable(_readableState).reading = false;
}

/** Have Readable know of a call of `_read` that it has not made itself. */
export function noteRead({ _readableState }: NetSocket): void {
  mutable(_readableState).reading = true;
}

/** Move a stream's position on, as if the stream had read. */
export function moveOn(stream: FileReadStream, count: number): void {
  const { pos, bytesRead } = stream;
  // From now on reads need a position: neither sendfile nor pread moves the one of the descriptor.
  mutable(stream).pos = (pos ?? bytesRead) + count;
  mutable(stream).bytesRead = bytesRead + count;
}

/** Give a stream its descriptor, or take it away: then the stream's own code has nothing to close. */
export function setDescriptor(stream: FileReadStream, fd: number | null): void {
  mutable(stream).fd = fd;
}

/** Have Node end the connection after the response, as after one with `Connection: close`. */
export function endConnectionAfter(response: HttpMessage): void {
  mutable(response)._last = true;
}
