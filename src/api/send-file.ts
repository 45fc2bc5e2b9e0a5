import type { PathLike } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { invalidArgument, SocketTuneError } from '../errors.js';
import { isUnpatched } from '../hooks/files/eligibility.js';
import { FileDescriptor } from '../hooks/files/file-descriptor.js';
import { FileRegion } from '../hooks/files/region.js';
import { newStatus, whyNotFile } from '../hooks/files/sendable-file.js';
import { installSocketWrite, sendsRegions } from '../hooks/files/socket-write.js';
import { platform } from '../native/index.js';
import type { FileCalls } from '../native/platform.js';
import { fs, net } from '../node/modules.js';
import { asNetSocket, type NetSocket } from '../node/net.js';

/** A file to send: its path, an open FileHandle, or a descriptor. The last two stay open, and their position as it was. */
export type FileToSend = PathLike | FileHandle | number;

/**
 * Write a whole file to a socket, by sendfile(2) where the socket is plain TCP or Unix and the file is a regular one in the
 * page cache, else by reading and writing. It takes its turn among the socket's other writes and obeys back-pressure; the
 * socket is not ended.
 *
 * @returns the number of bytes written, when the kernel has taken them all
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 * @throws an ErrnoException if the file cannot be read or the socket fails, as Node's own streams raise it
 */
export async function sendFileAll(socket: Socket, file: FileToSend): Promise<number> {
  return sendFileRange(socket, file, 0, Number.MAX_SAFE_INTEGER);
}

/**
 * Write a part of a file to a socket; else like {@link sendFileAll}.
 *
 * @param offset first byte, from 0
 * @param length number of bytes; what lies beyond the end of the file is left out
 * @returns the number of bytes written
 */
export async function sendFileRange(socket: Socket, file: FileToSend, offset: number, length: number): Promise<number> {
  if (!(socket instanceof net().Socket)) throw invalidArgument('socket', 'a net.Socket', socket);
  checkWhole('offset', offset);
  checkWhole('length', length);
  if (socket.destroyed || !socket.writable) throw closed();
  if (typeof file === 'number') {
    checkWhole('file', file);
    return send(asNetSocket(socket), file, offset, length);
  }
  if (isFileHandle(file)) return send(asNetSocket(socket), file.fd, offset, length);
  if (!isPath(file)) throw invalidArgument('file', 'a path, a FileHandle or a file descriptor', file);
  const handle = await fs().promises.open(file);
  try {
    return await send(asNetSocket(socket), handle.fd, offset, length);
  } finally {
    await handle.close();
  }
}

function closed(): SocketTuneError {
  return new SocketTuneError('ERR_SOCKET_TUNE_SOCKET_CLOSED', 'the socket is closed, or its writing side is');
}

function checkWhole(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalidArgument(name, 'a whole number from 0', value);
  }
}

function isFileHandle(file: unknown): file is FileHandle {
  return typeof file === 'object' && file !== null && 'fd' in file && typeof file.fd === 'number';
}

function isPath(file: unknown): file is PathLike {
  return typeof file === 'string' || file instanceof URL || file instanceof Uint8Array;
}

/** How long a region seems to a socket: `writableLength` is what a chunk of fs.ReadStream would make of it. */
const COUNTED_LENGTH = 64 << 10;

/** How much is read at a time where there are no regions. */
const CHUNK = 64 << 10;

/** Make sure that sockets of this thread understand regions, whether or not the preload is there. */
function understandsRegions(socket: NetSocket, files: FileCalls): boolean {
  if (!sendsRegions(Reflect.get(net().Socket.prototype, '_writeGeneric'))) installSocketWrite(() => files);
  const context = { sendsRegions, isStreamSocket: (fd: number) => files.isStreamSocket(fd) };
  // Of TLS as well: there a region is read and written where it is its turn.
  return isUnpatched(context, socket);
}

function send(socket: NetSocket, fd: number, offset: number, length: number): Promise<number> {
  const { files } = platform();
  const status = newStatus();
  const isFile = files?.status(fd, status) === true && whyNotFile(files, fd, status) === undefined;
  if (files === undefined || !isFile || !understandsRegions(socket, files))
    return sendCopies(socket, fd, offset, length);
  const count = Math.min(status.size - offset, length);
  return count > 0 ? sendRegion(files, socket, fd, offset, count) : Promise.resolve(0);
}

/** One region for it all, so that it takes its turn among the socket's writes as one. */
async function sendRegion(
  files: FileCalls,
  socket: NetSocket,
  fd: number,
  offset: number,
  count: number,
): Promise<number> {
  const descriptor = new FileDescriptor(files, fd, false);
  // The caller may close theirs while we wait; where no descriptor is left for a duplicate, it is theirs to keep.
  descriptor.own();
  const region = new FileRegion(descriptor, offset, count, undefined, Math.min(count, COUNTED_LENGTH));
  // Nothing is known of the page cache yet: what would wait for a disk is read in the thread pool.
  region.residentTo = 0;
  await write(socket, region.boundFor(socket));
  if (region.error !== undefined) throw region.error;
  return region.transferred;
}

function write(socket: NetSocket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(chunk, (error) => {
      if (error) reject(error);
      else if (socket.destroyed) reject(closed());
      else resolve();
    });
  });
}

/** @param position null reads on from where the descriptor stands */
function read(fd: number, buffer: Buffer, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs().read(fd, buffer, 0, buffer.length, position, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

function isPipe(fd: number): Promise<boolean> {
  return new Promise((resolve) => {
    // What cannot be looked at cannot be read, and the reading says so.
    fs().fstat(fd, (error, status) => resolve(error === null && status.isFIFO()));
  });
}

/** Other writes may come between the chunks: nothing can be said of their number before the last has been read. */
async function sendCopies(socket: NetSocket, fd: number, offset: number, length: number): Promise<number> {
  let written = 0;
  // A pipe has none; it can be sent from where it stands, and from nowhere else.
  const hasPositions = offset > 0 || !(await isPipe(fd));
  while (written < length) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, length - written));
    const bytes = await read(fd, buffer, hasPositions ? offset + written : null);
    if (bytes === 0) break;
    await write(socket, buffer.subarray(0, bytes));
    written += bytes;
  }
  return written;
}
