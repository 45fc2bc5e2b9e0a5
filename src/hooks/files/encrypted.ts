import type { FileCalls } from '../../native/platform.js';
import { handleBelow, type NetSocket } from '../../node/net.js';
import { fitsTurn } from '../turn-budget.js';
import { type EligibilityContext, isUnpatched, type WrittenTo, writtenTo } from './eligibility.js';

/**
 * A TLS socket whose every function is Node's own. Its handle encrypts or copies the bytes within the call that writes them
 * (src/crypto/crypto_tls.cc `TLSWrap::DoWrite`).
 */
export function encryptingSocket(context: EligibilityContext, pipedTo: unknown): WrittenTo | undefined {
  const found = writtenTo(pipedTo);
  const handle = found?.socket._handle;
  if (found === undefined || handle == null || handleBelow(handle) === undefined) return undefined;
  const { socket } = found;
  return !socket.connecting && !socket.destroyed && isUnpatched(context, socket) ? found : undefined;
}

/** Bytes of one window: as many as fs.ReadStream reads at a time, so that chunks have the size that they would have. */
const WINDOW = 64 << 10;

/** Buffers in use at the same time. What is beyond gets fresh ones. */
const MOST_BUFFERS = 4;

/** A buffer that is used again and again. Fresh ones would be the garbage collector's to free. */
interface WindowBuffer {
  readonly bytes: Buffer;
  user: WrittenTo | undefined;
}

const buffers: WindowBuffer[] = [];

/**
 * Whether all that was written there has been encrypted or copied: whatever the handle was given. What is on its way to a slow client is not
 * waited for. A response has a buffer of its own while it is corked.
 */
function isDone({ socket, destination }: WrittenTo): boolean {
  return (
    socket.destroyed || (heldByResponse(socket, destination) === 0 && socket._writableState.getBuffer().length === 0)
  );
}

/** Bytes that a response has not given to its socket. Its `writableLength` has those of the socket it is assigned to as well. */
function heldByResponse(socket: NetSocket, destination: WrittenTo['destination']): number {
  if (!('socket' in destination)) return 0;
  return destination.writableLength - (destination.socket === socket ? socket.writableLength : 0);
}

/**
 * Whether a chunk that is written now may stay in JavaScript for a while. Whoever replaces a method of the socket meanwhile gets it, and may
 * keep it: then it must be in memory of its own.
 */
function mayBeHeld({ socket, destination }: WrittenTo): boolean {
  return (
    destination.writableLength > 0 ||
    socket.writableLength > 0 ||
    socket.writableCorked > 0 ||
    destination.writableCorked > 0
  );
}

function freeBuffer(): WindowBuffer | undefined {
  const free = buffers.find(({ user }) => user === undefined || isDone(user));
  if (free !== undefined || buffers.length >= MOST_BUFFERS) return free;
  // Zeros, and not whatever was in that memory, are the worst that a fault of ours could send.
  const made: WindowBuffer = { bytes: Buffer.alloc(WINDOW), user: undefined };
  buffers.push(made);
  return made;
}

/**
 * Read the next bytes of a file for a socket that encrypts, if they are in the page cache.
 *
 * @param available bytes up to the end of the file
 * @returns bytes that may change once the socket has encrypted them; undefined where Node's own read is to be taken
 */
export function windowFor(
  user: WrittenTo,
  files: FileCalls,
  fd: number,
  position: number,
  available: number,
): Buffer | undefined {
  const size = Math.min(available, WINDOW);
  if (size <= 0 || !fitsTurn(size)) return undefined;
  const free = mayBeHeld(user) ? undefined : freeBuffer();
  const buffer = free?.bytes ?? Buffer.allocUnsafeSlow(size);
  const bytes = files.readNow(fd, buffer, 0, size, position);
  if (bytes <= 0) return undefined;
  if (free !== undefined) free.user = user;
  return buffer.subarray(0, bytes);
}
