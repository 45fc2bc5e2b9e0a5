import type { HttpMessage } from '../http.js';
import type { FileReadStream } from '../streams.js';
import { mutable } from './replace.js';

/** Take a call of `_read` back: Readable calls it again when somebody wants data. */
export function postponeRead(stream: FileReadStream): void {
  mutable(stream._readableState).reading = false;
}

/** Have a stream's position move on as if it had read. */
export function moveOn(stream: FileReadStream, count: number): void {
  const { pos, bytesRead } = stream;
  // From now on reads must say where: neither sendfile nor pread moves the descriptor's own position.
  mutable(stream).pos = (pos ?? bytesRead) + count;
  mutable(stream).bytesRead = bytesRead + count;
}

/** Have a stream take a descriptor for its own, or have none: then its own code has nothing left to close. */
export function setDescriptor(stream: FileReadStream, fd: number | null): void {
  mutable(stream).fd = fd;
}

/** Have Node end the connection when the response is through, as after one that says `Connection: close`. */
export function endConnectionAfter(response: HttpMessage): void {
  mutable(response)._last = true;
}
