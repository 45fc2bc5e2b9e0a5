import type { FileCalls } from '../../native/platform.js';
import type { NetSocket } from '../../node/net.js';
import type { FileReadStream } from '../../node/streams.js';
import type { Reason } from './eligibility.js';
import { FileDescriptor } from './file-descriptor.js';
import { FileRegion, type Placeholder } from './region.js';
import { newStatus, whyNotFile } from './sendable-file.js';
import { copyWindow, StagedRegion, stageWindow } from './staging.js';

export interface WindowLimits {
  /** A file with fewer bytes to send is copied. */
  readonly min: number;
  /** Bytes of one window. */
  readonly window: number;
}

/**
 * Up to this size a file is opened and closed without the thread pool, as three trips there cost more than sending it. Closing
 * the last descriptor of a file that was deleted frees its blocks, which for a small one is no more than that.
 */
const INLINE_LIMIT = 1 << 20;

/** What is known of a stream's file. */
export interface Source {
  /** The stream's own descriptor, once it was looked at and is one that we can send from. */
  descriptor: FileDescriptor | undefined;
  /** The inode that Node opened at our word. */
  lookedUp: number | undefined;
  /** It is copied, and not sent by sendfile, being smaller than where that begins to pay. */
  isCopied: boolean;
  /** Its trips to the thread pool are worth saving; see {@link INLINE_LIMIT}. */
  isSmall: boolean;
  /** Node's own code has read from it, and may be doing so now. */
  isReadByNode: boolean;
  /** How long it was when it was first looked at. */
  size: number;
  /** It has lost bytes since, to which the stream has not come. */
  isCutShort: boolean;
  /** Where the stream's bytes went last. */
  socket: NetSocket | undefined;
  /** Regions were made of it already. */
  isRerouted: boolean;
  /** The last region went up to where the file ended then. */
  isAtEnd: boolean;
  /** Why it never will be, or was not the last time. */
  reason: Reason | undefined;
  /** The reason is for good. */
  isRefused: boolean;
}

export function newSource(): Source {
  return {
    descriptor: undefined,
    lookedUp: undefined,
    isCopied: false,
    isSmall: false,
    isReadByNode: false,
    size: 0,
    isCutShort: false,
    socket: undefined,
    isRerouted: false,
    isAtEnd: false,
    reason: undefined,
    isRefused: false,
  };
}

const status = newStatus();

/** Look at a stream's file for the first time. */
function open(files: FileCalls, source: Source, fd: number): Reason | undefined {
  const reason = whyNotFile(files, fd, status, source.lookedUp);
  if (reason === undefined) {
    source.descriptor = new FileDescriptor(files, fd, false);
    source.size = status.size;
  } else source.isRefused = true;
  source.isSmall = status.size <= INLINE_LIMIT;
  return reason;
}

/** Whether a path names a small file that can be opened without waiting for anything. */
export function opensAtOnce(files: FileCalls, source: Source, path: string): boolean {
  if (!files.lookUp(path, status) || !status.regular || status.size > INLINE_LIMIT) return false;
  if (!files.isOnKnownFilesystem(status)) return false;
  source.lookedUp = status.inode;
  return true;
}

/** Whether a stream that has come to its end has not had all of the file that there was when it began. */
export function hasLostBytes({ size }: Source, { pos, bytesRead, end }: FileReadStream): boolean {
  return (pos ?? bytesRead) < Math.min(size, end + 1);
}

/** The end of the file as it is now, or of the stream's range, has been reached. */
export const AT_END = 'at-end';

/**
 * Where a stream ends: with its range or its file, as that is now. Of a file that has grown meanwhile, no more is sent than the
 * response promised, or it would be taken for the next response.
 */
function endOf(source: Source, stream: FileReadStream, position: number, promised: () => number): number {
  const end = Math.min(status.size, stream.end + 1);
  if (status.size <= source.size) return end;
  return Math.min(end, Math.max(source.size, position - stream.bytesRead + promised()));
}

/** How many bytes to send next, or that there are none, or why they cannot be sent as a region. */
export function nextWindow(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  limits: WindowLimits,
  promised: () => number = () => Number.POSITIVE_INFINITY,
): number | typeof AT_END | Reason {
  if (!files.status(fd, status)) return 'not-a-regular-file';
  const refusal = source.descriptor === undefined ? open(files, source, fd) : undefined;
  if (refusal !== undefined) return refusal;
  const position = stream.pos ?? stream.bytesRead;
  const available = endOf(source, stream, position, promised) - position;
  if (available <= 0) return AT_END;
  if (!source.isRerouted) source.isCopied = available < limits.min;
  if (source.isCopied) {
    const count = Math.min(available, files.staging.room);
    source.isAtEnd = count === available;
    return stageWindow(files, fd, position, count) ? count : 'not-resident';
  }
  // Up to two windows go as one: a turn of the event loop costs more than it gives where there is so little left.
  const wanted = available <= limits.window * 2 ? available : limits.window;
  const resident = files.resident(fd, position, wanted);
  if (resident === 0) return 'not-resident';
  source.isAtEnd = resident === available;
  return resident;
}

/** As many bytes as Node's own read would bring next, if they are in the page cache. The caller moves the stream on. */
export function nextChunk(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  size: number,
): Buffer | Reason {
  if (!files.status(fd, status)) return 'not-a-regular-file';
  const refusal = source.descriptor === undefined ? open(files, source, fd) : undefined;
  if (refusal !== undefined) return refusal;
  const position = stream.pos ?? stream.bytesRead;
  const count = Math.min(status.size, stream.end + 1, position + size) - position;
  if (count <= 0) return 'empty-file';
  if (!stageWindow(files, fd, position, count)) return 'not-resident';
  return copyWindow(files, count);
}

/**
 * Cut the next region off a stream, which the caller moves on as if it had read. One of a small file was read by
 * {@link nextWindow}.
 *
 * @returns undefined if there are no descriptors left
 */
export function cutRegion(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  count: number,
): Placeholder | undefined {
  const region = source.isCopied ? new StagedRegion(files, count) : cutFromFile(files, source, stream, count);
  if (region !== undefined) region.isLast = source.isAtEnd;
  return region;
}

function cutFromFile(files: FileCalls, source: Source, stream: FileReadStream, count: number): FileRegion | undefined {
  const descriptor = regionDescriptor(files, source, stream);
  if (descriptor === undefined) return undefined;
  return new FileRegion(descriptor, stream.pos ?? stream.bytesRead, count, stream);
}

/** A stream that opened its file and closes it lends us the descriptor; any other may lose it whenever its owner likes. */
function regionDescriptor(files: FileCalls, source: Source, stream: FileReadStream): FileDescriptor | undefined {
  const { descriptor } = source;
  if (descriptor === undefined) return undefined;
  if (stream.flags !== undefined && stream.autoClose) return descriptor;
  const duplicate = new FileDescriptor(files, descriptor.fd, false);
  return duplicate.own() ? duplicate : undefined;
}
