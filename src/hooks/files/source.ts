import type { FileCalls } from '../../native/platform.js';
import type { NetSocket } from '../../node/net.js';
import type { FileReadStream } from '../../node/streams.js';
import { recentPaths } from '../recent-paths.js';
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

/** How the regions of a stream are sent. Settled with the first: small files are copied, as sendfile does not pay for them. */
type RegionKind = 'copied' | 'sendfile';

/** Node's own code reads: for good (refused), or this time. */
export interface Refusal {
  readonly kind: 'refused' | 'node';
  readonly reason: Reason;
}

/** How a stream's bytes went last. */
export type Route =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** `regions` tells of those that were made before. */
  | { readonly kind: 'node'; readonly reason: Reason; readonly regions: RegionKind | undefined }
  | { readonly kind: RegionKind };

const ROUTES = { copied: { kind: 'copied' }, sendfile: { kind: 'sendfile' } } as const;

/** What is known of a stream. */
export interface Source {
  route: Route;
  /** The stream's own file, once it was looked at and is one that we can send from. */
  file: { readonly descriptor: FileDescriptor; readonly size: number } | undefined;
  /** The inode that the path had when Node opened it at our word. */
  lookedUp: number | undefined;
  /** Node's own code has read from it, and may be doing so now. */
  isReadByNode: boolean;
  /** The last region went up to where the file ended then. */
  isAtEnd: boolean;
  /** Its last chunk was read for a socket that encrypts, without the thread pool. */
  hasWindow: boolean;
  /** The file has lost bytes to which the stream has not come, and that was said. */
  isCutShort: boolean;
  /** The socket that was to get the last window. */
  socket: NetSocket | undefined;
}

export function newSource(reason?: Reason): Source {
  return {
    route: reason === undefined ? { kind: 'unknown' } : { kind: 'refused', reason },
    file: undefined,
    lookedUp: undefined,
    isReadByNode: false,
    isAtEnd: false,
    hasWindow: false,
    isCutShort: false,
    socket: undefined,
  };
}

/** How the regions of a stream are sent; undefined if there has been none. */
export function regionKind({ route }: Source): RegionKind | undefined {
  if (route.kind === 'node') return route.regions;
  return route.kind === 'copied' || route.kind === 'sendfile' ? route.kind : undefined;
}

/**
 * Note that Node's own code reads.
 *
 * @returns whether that is news
 */
export function turnToNode(source: Source, { kind, reason }: Refusal): boolean {
  const { route } = source;
  const isNews = !('reason' in route) || route.reason !== reason;
  if (kind === 'refused') source.route = { kind, reason };
  else if (isNews || route.kind !== 'node') source.route = { kind, reason, regions: regionKind(source) };
  return isNews;
}

/**
 * Note that a region was made.
 *
 * @returns whether it is the first
 */
export function turnToRegions(source: Source, kind: RegionKind): boolean {
  const isFirst = regionKind(source) === undefined;
  source.route = ROUTES[kind];
  return isFirst;
}

/**
 * Up to this size a file is opened and closed without the thread pool, as three trips there cost more than sending it. Closing
 * the last descriptor of a file that was deleted frees its blocks, which for a small one is no more than that.
 */
export const INLINE_LIMIT = 1 << 20;

/** Whether closing a stream's file is no more work than a trip to the thread pool. */
export function closesAtOnce({ file }: Source): boolean {
  return file !== undefined && file.size <= INLINE_LIMIT;
}

/** The file that is being looked at. Filled anew at each look, which allocates nothing. */
const status = newStatus();

/** Look at a stream's file for the first time. */
function lookAt(files: FileCalls, source: Source, fd: number): Refusal | undefined {
  const reason = whyNotFile(files, fd, status, source.lookedUp);
  if (reason !== undefined) return { kind: 'refused', reason };
  source.file = { descriptor: new FileDescriptor(files, fd, false), size: status.size };
  return undefined;
}

/** Fill `status`, and find out at the first look whether the file is one to send from. */
function look(files: FileCalls, source: Source, fd: number): Refusal | undefined {
  if (!files.status(fd, status)) return { kind: 'node', reason: 'not-a-regular-file' };
  return source.file === undefined ? lookAt(files, source, fd) : undefined;
}

/** Whether a path names a small file that can be opened without waiting for anything. */
export function opensAtOnce(files: FileCalls, source: Source, path: string): boolean {
  if (!files.lookUp(path, status) || !isSmallFile(files)) return false;
  recentPaths.note(path, { device: undefined, isRegular: true });
  source.lookedUp = status.inode;
  return true;
}

/** Whether `status` is that of a file that is opened and closed without waiting for anything. */
function isSmallFile(files: FileCalls): boolean {
  return status.regular && status.size <= INLINE_LIMIT && files.isOnKnownFilesystem(status);
}

/** Whether a descriptor that was opened without a look at its path is of such a file all the same. */
export function isOpenedAtOnce(files: FileCalls, source: Source, fd: number): boolean {
  if (!files.cachedStatus(fd, status) || !isSmallFile(files)) return false;
  source.lookedUp = status.inode;
  return true;
}

/** Where a stream reads next. */
function positionOf({ pos, bytesRead }: FileReadStream): number {
  return pos ?? bytesRead;
}

/** Whether a stream that has come to its end has not had all of the file that there was when it began. */
export function hasLostBytes({ file }: Source, stream: FileReadStream): boolean {
  return positionOf(stream) < Math.min(file?.size ?? 0, stream.end + 1);
}

/** What a stream sends next. */
export type Window =
  | Refusal
  /** The end of the file as it is now, or of the stream's range, has been reached. */
  | { readonly kind: 'end' }
  | { readonly kind: RegionKind; readonly count: number };

const END: Window = { kind: 'end' };
const NOT_RESIDENT: Refusal = { kind: 'node', reason: 'not-resident' };
/** Not for good: the end of the file is still found without the thread pool. */
const RESIDENCY_UNKNOWN: Refusal = { kind: 'node', reason: 'residency-unknown' };

/** @param resident what {@link FileCalls.resident} said */
function whyNotSent(resident: number): Refusal {
  return resident < 0 ? RESIDENCY_UNKNOWN : NOT_RESIDENT;
}

/**
 * Where a stream ends: with its range or its file, as that is now. Of a file that has grown meanwhile, no more is sent than the
 * response promised, or it would be taken for the next response.
 */
function endOf({ file }: Source, stream: FileReadStream, promised: () => number): number {
  const end = Math.min(status.size, stream.end + 1);
  const size = file?.size ?? status.size;
  if (status.size <= size) return end;
  return Math.min(end, Math.max(size, positionOf(stream) - stream.bytesRead + promised()));
}

/** What is left of a stream. */
interface Rest {
  readonly kind: 'rest';
  readonly position: number;
  readonly count: number;
}

/**
 * Whether Node goes on reading without a question: the kernel has not told what is in the page cache, and will not before the next chunk.
 * Only the end is still found without the thread pool.
 */
export function isLeftToNode({ route, file }: Source, stream: FileReadStream): boolean {
  if (route.kind !== 'node' || route.reason !== RESIDENCY_UNKNOWN.reason || file === undefined) return false;
  return positionOf(stream) < Math.min(file.size, stream.end + 1);
}

/** @param promised bytes of body that the response has promised; asked only where the file has grown */
export function restOf(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  promised: () => number,
): Refusal | Rest {
  const refusal = look(files, source, fd);
  if (refusal !== undefined) return refusal;
  const position = positionOf(stream);
  return { kind: 'rest', position, count: endOf(source, stream, promised) - position };
}

/** Whether a stream has come to the end of its range, or of its file as {@link restOf} has just found it. */
export function hasReadAll(stream: FileReadStream): boolean {
  return positionOf(stream) >= Math.min(status.size, stream.end + 1);
}

/** Find the next window, and read it ahead if it is to be copied; see {@link restOf}. */
export function nextWindow(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  limits: WindowLimits,
  promised: () => number = () => Number.POSITIVE_INFINITY,
): Window {
  const rest = restOf(files, source, stream, fd, promised);
  if (rest.kind !== 'rest') return rest;
  const { position, count: available } = rest;
  if (available <= 0) return END;
  const kind = regionKind(source) ?? (available < limits.min ? 'copied' : 'sendfile');
  if (kind === 'copied') {
    const count = Math.min(available, files.staging.room);
    source.isAtEnd = count === available;
    if (stageWindow(files, fd, position, count)) return { kind, count };
    return whyNotSent(files.resident(fd, position, 1));
  }
  // Up to two windows go as one: a turn of the event loop costs more than it gives where there is so little left.
  const wanted = available <= limits.window * 2 ? available : limits.window;
  const count = files.resident(fd, position, wanted);
  if (count <= 0) return whyNotSent(count);
  source.isAtEnd = count === available;
  return { kind, count };
}

/** As many bytes as Node's own read would bring next, if they are in the page cache. The caller moves the stream on. */
export function nextChunk(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  fd: number,
  size: number,
): Refusal | { readonly kind: 'chunk'; readonly chunk: Buffer } {
  const refusal = look(files, source, fd);
  if (refusal !== undefined) return refusal;
  const position = positionOf(stream);
  const count = Math.min(status.size, stream.end + 1, position + size) - position;
  if (count <= 0) return { kind: 'node', reason: 'empty-file' };
  if (!stageWindow(files, fd, position, count)) return whyNotSent(files.resident(fd, position, 1));
  return { kind: 'chunk', chunk: copyWindow(files, count) };
}

/**
 * Cut the next region off a stream, which the caller moves on as if it had read. What is to be copied was read by
 * {@link nextWindow}.
 *
 * @returns undefined if there are no descriptors left (EMFILE)
 */
export function cutRegion(
  files: FileCalls,
  source: Source,
  stream: FileReadStream,
  { kind, count }: { readonly kind: RegionKind; readonly count: number },
): Placeholder | undefined {
  const region = kind === 'copied' ? new StagedRegion(files, count) : cutFromFile(files, source, stream, count);
  if (region !== undefined) region.isLast = source.isAtEnd;
  return region;
}

function cutFromFile(files: FileCalls, source: Source, stream: FileReadStream, count: number): FileRegion | undefined {
  const descriptor = regionDescriptor(files, source, stream);
  return descriptor && new FileRegion(descriptor, positionOf(stream), count, stream);
}

/** A stream that opened its file and closes it lends us the descriptor; any other may lose it whenever its owner likes. */
function regionDescriptor(files: FileCalls, { file }: Source, stream: FileReadStream): FileDescriptor | undefined {
  if (file === undefined || (stream.flags !== undefined && stream.autoClose)) return file?.descriptor;
  const duplicate = new FileDescriptor(files, file.descriptor.fd, false);
  return duplicate.own() ? duplicate : undefined;
}
