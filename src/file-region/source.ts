import type { FileCalls, FileStatus } from '../native/platform.js';
import { type FileReadStream, fs } from '../node-internals.js';
import { FileDescriptor } from './descriptor.js';
import type { Reason } from './eligibility.js';
import { FileRegion } from './file-region.js';

export interface WindowLimits {
  /** A file with fewer bytes to send is read and written. */
  readonly min: number;
  /** Bytes of one window. */
  readonly window: number;
}

/** What is known of a stream's file. */
export interface Source {
  /** The stream's own descriptor, once it was looked at and is one that we can send from. */
  descriptor: FileDescriptor | undefined;
  /** Regions were made of it already. */
  isRerouted: boolean;
  /** Why it never will be, or was not the last time. */
  reason: Reason | undefined;
  /** The reason is for good. */
  isRefused: boolean;
}

export function newSource(): Source {
  return { descriptor: undefined, isRerouted: false, reason: undefined, isRefused: false };
}

const status: FileStatus = { regular: false, size: 0, inode: 0n };

/**
 * Whether a descriptor is a file whose bytes sendfile can send. Node's own view of it is compared with the kernel's: where
 * `fs` is mocked, a descriptor's number says nothing, or is another file's.
 */
export function whyNotFile(files: FileCalls, fd: number): Reason | undefined {
  if (!files.status(fd, status) || !status.regular) return 'not-a-regular-file';
  if (status.size === 0) return 'empty-file';
  if (!isSameFileToNode(fd, status.inode)) return 'patched-fs';
  return files.hasKnownFilesystem(fd) ? undefined : 'unknown-filesystem';
}

function isSameFileToNode(fd: number, inode: bigint): boolean {
  try {
    return fs().fstatSync(fd, { bigint: true }).ino === inode;
  } catch {
    // A mocked fs without such a descriptor. If it really is closed, Node's own read says so.
    return false;
  }
}

/** Look at a stream's file once. */
export function openSource(files: FileCalls, source: Source, fd: number): Reason | undefined {
  if (source.descriptor !== undefined) return undefined;
  const reason = whyNotFile(files, fd);
  if (reason === undefined) source.descriptor = new FileDescriptor(files, fd, false);
  return reason;
}

/** The end of the file as it is now has been reached. */
export const AT_END = 'at-end';

/** How many bytes to send next, or that there are none, or why they cannot be sent as a region. */
export function nextWindow(
  files: FileCalls,
  stream: FileReadStream,
  fd: number,
  isRerouted: boolean,
  limits: WindowLimits,
): number | typeof AT_END | Reason {
  const position = stream.pos ?? stream.bytesRead;
  if (!files.status(fd, status)) return 'not-a-regular-file';
  const available = Math.min(status.size, stream.end + 1) - position;
  // The stream's own read knows best what the end of its range means.
  if (available <= 0) return position > stream.end ? 'small-file' : AT_END;
  if (available < limits.min && !isRerouted) return 'small-file';
  // No tiny window at the end.
  const wanted = available < limits.window * 1.5 ? available : limits.window;
  const resident = files.resident(fd, position, wanted);
  return resident > 0 ? resident : 'not-resident';
}

/**
 * Cut the next region off a stream, whose position moves on as if it had been read.
 *
 * @returns undefined if there are no descriptors left
 */
export function cutRegion(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  count: number,
): FileRegion | undefined {
  const descriptor = regionDescriptor(files, source, stream);
  if (descriptor === undefined) return undefined;
  const position = stream.pos ?? stream.bytesRead;
  // From now on reads must say where: sendfile does not move the descriptor's own position.
  stream.pos = position + count;
  stream.bytesRead += count;
  return new FileRegion(descriptor, position, count, stream);
}

/** A stream that opened its file and closes it lends us the descriptor; any other may lose it whenever its owner likes. */
function regionDescriptor(files: FileCalls, source: Source, stream: FileReadStream): FileDescriptor | undefined {
  const { descriptor } = source;
  if (descriptor === undefined) return undefined;
  if (stream.flags !== undefined && stream.autoClose) return descriptor;
  const duplicate = new FileDescriptor(files, descriptor.fd, false);
  return duplicate.own() ? duplicate : undefined;
}
