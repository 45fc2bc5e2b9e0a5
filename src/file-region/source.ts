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
  /** The last region went up to where the file ended then. */
  isAtEnd: boolean;
  /** Why it never will be, or was not the last time. */
  reason: Reason | undefined;
  /** The reason is for good. */
  isRefused: boolean;
}

export function newStatus(): FileStatus {
  return { regular: false, size: 0, inode: 0, deviceMajor: 0, deviceMinor: 0 };
}

export function newSource(): Source {
  return { descriptor: undefined, isRerouted: false, isAtEnd: false, reason: undefined, isRefused: false };
}

const status = newStatus();

/**
 * Whether a descriptor, of this status, is a file whose bytes sendfile can send. Node's own view of it is compared with the
 * kernel's: where `fs` is mocked, a descriptor's number says nothing, or is another file's.
 */
export function whyNotFile(files: FileCalls, fd: number, of: FileStatus): Reason | undefined {
  if (!of.regular) return 'not-a-regular-file';
  if (of.size === 0) return 'empty-file';
  if (!isSameFileToNode(fd, of.inode)) return 'patched-fs';
  return files.hasKnownFilesystem(fd, of) ? undefined : 'unknown-filesystem';
}

function isSameFileToNode(fd: number, inode: number): boolean {
  try {
    return fs().fstatSync(fd).ino === inode;
  } catch {
    // A mocked fs without such a descriptor. If it really is closed, Node's own read says so.
    return false;
  }
}

/** Look at a stream's file for the first time. */
function open(files: FileCalls, source: Source, fd: number): Reason | undefined {
  const reason = whyNotFile(files, fd, status);
  if (reason === undefined) source.descriptor = new FileDescriptor(files, fd, false);
  else source.isRefused = true;
  return reason;
}

/** The end of the file as it is now, or of the stream's range, has been reached. */
export const AT_END = 'at-end';

/** How many bytes to send next, or that there are none, or why they cannot be sent as a region. */
export function nextWindow(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  limits: WindowLimits,
): number | typeof AT_END | Reason {
  if (!files.status(fd, status)) return 'not-a-regular-file';
  const refusal = source.descriptor === undefined ? open(files, source, fd) : undefined;
  if (refusal !== undefined) return refusal;
  const position = stream.pos ?? stream.bytesRead;
  const available = Math.min(status.size, stream.end + 1) - position;
  if (available <= 0) return AT_END;
  if (available < limits.min && !source.isRerouted) return 'small-file';
  // Up to two windows go as one: a turn of the event loop costs more than it gives where there is so little left.
  const wanted = available <= limits.window * 2 ? available : limits.window;
  const resident = files.resident(fd, position, wanted);
  if (resident === 0) return 'not-resident';
  source.isAtEnd = resident === available;
  return resident;
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
