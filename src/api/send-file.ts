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

/** A file to send: its path, an open FileHandle, or a descriptor. The last two stay open, with the position that they had. */
export type FileToSend = PathLike | FileHandle | number;

/**
 * Write a whole file to a socket. Sent by sendfile(2): a regular file in the page cache, to a plain TCP or Unix socket. Anything
 * else is read and written. The file keeps its place among the socket's other writes, and back-pressure applies. The socket is not
 * ended.
 *
 * @returns the number of bytes written, once the kernel has all of them
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 * @throws an ErrnoException, as Node's own streams do, if the file cannot be read or the socket fails
 */
export async function sendFileAll(socket: Socket, file: FileToSend): Promise<number> {
  return sendFileRange(socket, file, 0, Number.MAX_SAFE_INTEGER);
}

/**
 * Write a part of a file to a socket, as {@link sendFileAll} does.
 *
 * @param offset first byte, from 0
 * @param length number of bytes, cut at the end of the file
 * @returns the number of bytes written
 */
export async function sendFileRange(socket: Socket, file: FileToSend, offset: number, length: number): Promise<number> {
  if (!(socket instanceof net().Socket)) throw invalidArgument('socket', 'a net.Socket', socket);
  checkWhole('offset', offset);
  checkWhole('length', length);
  if (socket.destroyed || !socket.writable) throw closed();
  if (typeof file === 'number') {
    checkWhole('file', file);
    return sendFrom(asNetSocket(socket), file, offset, length);
  }
  if (isFileHandle(file)) return sendFrom(asNetSocket(socket), file.fd, offset, length);
  if (!isPath(file)) throw invalidArgument('file', 'a path, a FileHandle or a file descriptor', file);
  const handle = await fs().promises.open(file);
  try {
    return await sendFrom(asNetSocket(socket), handle.fd, offset, length);
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

/** What a region counts in `writableLength`: as much as a chunk of fs.ReadStream. */
const COUNTED_LENGTH = 64 << 10;

/** Bytes of one read, where the file is copied. */
const CHUNK = 64 << 10;

/** Whether the socket sends regions. Without the preload, this makes the sockets of the thread do so. */
function understandsRegions(socket: NetSocket, files: FileCalls): boolean {
  if (!sendsRegions(Reflect.get(net().Socket.prototype, '_writeGeneric'))) installSocketWrite(() => files);
  const context = { sendsRegions, isStreamSocket: (fd: number) => files.isStreamSocket(fd) };
  // TLS sockets too: a region is read and written when its turn comes.
  return isUnpatched(context, socket);
}

function sendFrom(socket: NetSocket, fd: number, offset: number, length: number): Promise<number> {
  const { files } = platform();
  const status = newStatus();
  const isFile = files?.status(fd, status) === true && whyNotFile(files, fd, status) === undefined;
  if (files === undefined || !isFile || !understandsRegions(socket, files))
    return sendCopies(socket, fd, offset, length);
  const count = Math.min(status.size - offset, length);
  return count > 0 ? sendAsRegion(files, socket, fd, offset, count) : Promise.resolve(0);
}

/** One region for the whole range, so that no other write comes between. */
async function sendAsRegion(
  files: FileCalls,
  socket: NetSocket,
  fd: number,
  offset: number,
  count: number,
): Promise<number> {
  const descriptor = new FileDescriptor(files, fd, false);
  // The caller may close its descriptor while we wait. If there is none left for a duplicate, the caller must keep it open.
  descriptor.own();
  const region = new FileRegion(descriptor, offset, count, undefined, Math.min(count, COUNTED_LENGTH));
  // Nothing is known about the page cache yet. What is not in it is read in the thread pool.
  region.residentTo = 0;
  await writeChunk(socket, region.boundFor(socket));
  if (region.error !== undefined) throw region.error;
  return region.transferred;
}

function writeChunk(socket: NetSocket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(chunk, (error) => {
      if (error) reject(error);
      else if (socket.destroyed) reject(closed());
      else resolve();
    });
  });
}

/** @param position null: the position of the descriptor */
function readAt(fd: number, buffer: Buffer, position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs().read(fd, buffer, 0, buffer.length, position, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

function isPipe(fd: number): Promise<boolean> {
  return new Promise((resolve) => {
    // If fstat fails, the read fails too, and that error is reported.
    fs().fstat(fd, (error, status) => resolve(error === null && status.isFIFO()));
  });
}

/** Chunk by chunk, as the length is not known before the last read. Other writes may come between the chunks. */
async function sendCopies(socket: NetSocket, fd: number, offset: number, length: number): Promise<number> {
  let written = 0;
  // A pipe has no positions: it is read from where it stands.
  const hasPositions = offset > 0 || !(await isPipe(fd));
  while (written < length) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, length - written));
    const bytes = await readAt(fd, buffer, hasPositions ? offset + written : null);
    if (bytes === 0) break;
    await writeChunk(socket, buffer.subarray(0, bytes));
    written += bytes;
  }
  return written;
}
