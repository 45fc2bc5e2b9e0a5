import type { read, readSync } from 'node:fs';
import { now, setImmediate, setTimeout } from '../clock.js';
import { ERRNO, errnoName } from '../native/errno.js';
import { familyOf, fdOf } from '../native/handle-fd.js';
import type { FileCalls } from '../native/platform.js';
import type { NetSocket, SocketHandle, WriteBatch, WriteCallback, WriteGeneric, WritePart } from '../node-internals.js';
import { connectionError } from './connection-error.js';
import { type CopyReason, endRegionsBefore, FileRegion } from './file-region.js';
import { bufferEncoding, stage } from './staged.js';

/** After EAGAIN: a piece for Node's own write to queue; its callback says that the socket takes bytes again. */
const WAIT_PIECE = 8 << 10;

/** Where sendfile is no use: as much at a time as fs.ReadStream would read. */
const COPY_PIECE = 64 << 10;

/** Sent in one turn of the event loop, so that a client that takes all it is given does not keep the loop to itself. */
const TURN = 1 << 20;

/** Plain writes of up to this size go into the same segment as the region behind them. */
const GREATEST_PREFIX = 16 << 10;

/** How often it is looked whether a stream has closed, in milliseconds. */
const CLOSE_POLL_MS = 1;

/** The page cache does not lose pages within this time of having been asked; see native/residency.ts. */
const RESIDENT_FOR_MS = 200;

/** What a transfer needs from outside. */
export interface TransferContext {
  readonly files: FileCalls;
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
interface Transfer {
  readonly context: TransferContext;
  readonly socket: NetSocket;
  readonly parts: readonly WritePart[];
  readonly callback: WriteCallback;
  next: number;
  /** Bytes copied since others had a turn of the event loop. */
  copied: number;
}

/** Whether a write, or one of a batch, is a region. */
export function hasRegion(writev: boolean, data: WriteBatch | Uint8Array | string): boolean {
  if (!writev || !Array.isArray(data)) return data instanceof FileRegion;
  for (let index = 0; index < data.length; index++) if (data[index]?.chunk instanceof FileRegion) return true;
  return false;
}

/** Send what `_writeGeneric` was given, where some of it is regions. The socket has a handle and is connected. */
export function transfer(
  context: TransferContext,
  socket: NetSocket,
  data: WriteBatch | Uint8Array | string,
  encoding: string,
  callback: WriteCallback,
): void {
  const parts = Array.isArray(data) ? data : [{ chunk: data, encoding }];
  advance({ context, socket, parts, callback, next: 0, copied: 0 });
}

/** Go on until all is sent or something has to be waited for, whose callback then comes here. */
function advance(state: Transfer): void {
  for (;;) {
    const part = state.parts[state.next];
    if (part === undefined) return state.callback();
    if (state.socket.destroyed || state.socket._handle === null) return abandon(state, null);
    const wentOn = part.chunk instanceof FileRegion ? sendRegion(state, part.chunk) : sendPlain(state);
    if (!wentOn) return;
  }
}

/** End what is left and tell Node, as its own write does when the socket is destroyed under it (null) or fails. */
function abandon(state: Transfer, error: Error | null): void {
  for (const { chunk } of state.parts) if (chunk instanceof FileRegion) chunk.end();
  state.callback(error);
}

/** Whether a call of ours was told that the connection is broken. Then all is over, as after a write of Node's own. */
function failed(state: Transfer, sent: number): boolean {
  const error = sent < 0 ? connectionError(-sent) : undefined;
  if (error !== undefined) abandon(state, error);
  return error !== undefined;
}

/** Write by Node's own code. True if that is done already, so that the caller's loop goes on: never recurse into it. */
function write(state: Transfer, data: WriteBatch | Uint8Array, encoding: string): boolean {
  let hasReturned = false;
  let isDone = false;
  state.context.write.call(state.socket, Array.isArray(data), data, encoding, (error) => {
    if (error) return abandon(state, error);
    isDone = true;
    if (hasReturned) advance(state);
  });
  hasReturned = true;
  return isDone;
}

function isRegion(part: WritePart | undefined): part is WritePart & { readonly chunk: FileRegion } {
  return part?.chunk instanceof FileRegion;
}

/** Send the plain parts up to the next region. */
function sendPlain(state: Transfer): boolean {
  const { parts } = state;
  let end = state.next;
  while (end < parts.length && !isRegion(parts[end])) end++;
  const batch: WriteBatch = parts.slice(state.next, end);
  const following = parts[end];
  if (isRegion(following) && isStageable(state, following.chunk)) {
    const wentOn = sendStaged(state, batch, following.chunk, end);
    if (wentOn !== undefined) return wentOn;
  }
  state.next = end;
  if (isRegion(following) && goesBySendfile(state, following.chunk)) return sendPrefix(state, batch);
  batch.allBuffers = batch.every((part) => typeof part.chunk !== 'string');
  return write(state, batch, '');
}

function bytesOf(part: WritePart): Uint8Array {
  return typeof part.chunk === 'string' ? Buffer.from(part.chunk, bufferEncoding(part.encoding)) : part.chunk;
}

/** Headers and the like: with MSG_MORE they wait in the kernel for the file's first bytes, which follow at once. */
function sendPrefix(state: Transfer, batch: WriteBatch): boolean {
  const { socket, context } = state;
  const bytes = Buffer.concat(batch.map(bytesOf));
  const handle = socket._handle;
  if (handle === null || bytes.length > GREATEST_PREFIX) return write(state, bytes, 'buffer');
  const sent = context.files.send(fdOf(handle), bytes, true);
  if (sent <= 0) return failed(state, sent) ? false : write(state, bytes, 'buffer');
  context.addBytesWritten(handle, sent);
  return sent === bytes.length || write(state, bytes.subarray(sent), 'buffer');
}

/** Whether a region's bytes can go past Node's own write: to a plain socket of which nothing is queued. */
function canOvertakeNode({ socket }: Transfer, region: FileRegion): boolean {
  const handle = socket._handle;
  return !region.ended && familyOf(handle) !== undefined && (handle?.writeQueueSize ?? 0) === 0;
}

function isStageable(state: Transfer, region: FileRegion): boolean {
  return region.copyReason === 'small-file' && region.transferred === 0 && canOvertakeNode(state, region);
}

/**
 * A small region with what goes ahead of it, in one call.
 *
 * @param at where in the parts the region is
 * @returns undefined if nothing was sent, and it is to go another way
 */
function sendStaged(state: Transfer, ahead: readonly WritePart[], region: FileRegion, at: number): boolean | undefined {
  const { socket, context } = state;
  const handle = socket._handle;
  const staged = stage(context.files, ahead, region);
  if (staged === undefined || handle === null) return undefined;
  endRegionsBefore(socket, region);
  const sent = context.files.send(fdOf(handle), staged.bytes, false);
  if (sent <= 0) return failed(state, sent) ? false : undefined;
  context.addBytesWritten(handle, sent);
  state.next = at;
  // What goes ahead is kept until it is sent, the region's own bytes are still in its file.
  if (sent < staged.lead) return write(state, Buffer.copyBytesFrom(staged.bytes, sent, staged.lead - sent), 'buffer');
  region.transferred = sent - staged.lead;
  state.copied += region.transferred;
  context.onCopied(region.transferred, 'small-file');
  socket._unrefTimer();
  if (region.remaining > 0) return true;
  region.end();
  state.next++;
  return true;
}

/** Whether the next bytes of a region can be given to sendfile now: it would neither wait for a disk nor overtake anything. */
function goesBySendfile(state: Transfer, region: FileRegion): boolean {
  return region.copyReason === undefined && canOvertakeNode(state, region) && isResident(state, region);
}

function isResident({ context }: Transfer, region: FileRegion): boolean {
  const asked = now();
  if (asked - region.residentAt < RESIDENT_FOR_MS && region.transferred < region.residentTo) return true;
  const count = Math.min(region.remaining, TURN);
  const position = region.position + region.transferred;
  const resident = context.files.resident(region.descriptor.fd, position, count);
  region.residentAt = asked;
  region.residentTo = region.transferred + resident;
  return resident > 0;
}

/** Send a region as far as the socket takes it, or this turn of the event loop does. */
function sendRegion(state: Transfer, region: FileRegion): boolean {
  const { socket, context } = state;
  endRegionsBefore(socket, region);
  if (isStageable(state, region)) {
    const wentOn = sendStaged(state, [], region, state.next);
    if (wentOn !== undefined) return wentOn;
  }
  const turnEnds = region.transferred + TURN;
  while (region.remaining > 0 && !region.ended) {
    if (!goesBySendfile(state, region)) return copyPiece(state, region, COPY_PIECE, whyCopied(state, region));
    if (region.transferred >= turnEnds) return goOnNextTurn(state);
    const handle = socket._handle;
    const position = region.position + region.transferred;
    const count = Math.min(region.residentTo, turnEnds) - region.transferred;
    const sent = context.files.sendfile(fdOf(handle), region.descriptor.fd, position, count);
    if (sent === 0) return endShort(state, region);
    if (sent < 0) return onSendfileError(state, region, -sent);
    region.transferred += sent;
    region.vainWaits = 0;
    if (handle !== null) context.addBytesWritten(handle, sent);
    context.onSent(sent);
    socket._unrefTimer();
  }
  region.end();
  state.next++;
  return true;
}

function goOnNextTurn(state: Transfer): boolean {
  setImmediate(advance, state);
  return false;
}

function whyCopied({ socket }: Transfer, region: FileRegion): CopyReason {
  if (region.copyReason !== undefined) return region.copyReason;
  return familyOf(socket._handle) === undefined ? 'not-a-plain-socket' : 'not-resident';
}

/** Where sendfile takes nothing even from a socket that does take bytes, waiting turns into copying step by step. */
function waitPiece(region: FileRegion): number {
  const piece = Math.min(WAIT_PIECE << region.vainWaits, COPY_PIECE);
  if (piece < COPY_PIECE) region.vainWaits++;
  return piece;
}

/**
 * A full socket is waited for by Node's own write of a small piece. Whatever is wrong with sendfile, copying goes on from the same
 * byte; and what is wrong with the socket, Node's own write meets as well, but for what the kernel tells once.
 */
function onSendfileError(state: Transfer, region: FileRegion, errno: number): boolean {
  if (errno === ERRNO.EAGAIN) return copyPiece(state, region, waitPiece(region), 'socket-full');
  if (failed(state, -errno)) return false;
  region.copyReason = `refused:${errnoName(errno)}`;
  return copyPiece(state, region, COPY_PIECE, region.copyReason);
}

/** Read the next piece of a region, in the thread pool unless it is in the page cache, and write it. */
function copyPiece(state: Transfer, region: FileRegion, size: number, reason: CopyReason): boolean {
  const { files } = state.context;
  if (state.copied >= TURN) {
    state.copied = 0;
    return goOnNextTurn(state);
  }
  const buffer = Buffer.allocUnsafeSlow(Math.min(size, region.remaining));
  const position = region.position + region.transferred;
  if (files.resident(region.descriptor.fd, position, buffer.length) === buffer.length) {
    return copyNow(state, region, buffer, reason);
  }
  copyLater(state, region, buffer, reason);
  return false;
}

function copyNow(state: Transfer, region: FileRegion, buffer: Buffer, reason: CopyReason): boolean {
  const position = region.position + region.transferred;
  let bytes: number;
  try {
    bytes = state.context.readSync(region.descriptor.fd, buffer, 0, buffer.length, position);
  } catch (error) {
    return onReadError(state, region, error);
  }
  return writePiece(state, region, buffer.subarray(0, bytes), reason);
}

function copyLater(state: Transfer, region: FileRegion, buffer: Buffer, reason: CopyReason): void {
  const { descriptor } = region;
  const { fd } = descriptor;
  descriptor.hold();
  state.context.read(fd, buffer, 0, buffer.length, region.position + region.transferred, (error, bytes) => {
    descriptor.letGo();
    if (state.socket.destroyed || region.ended) return abandon(state, null);
    // The stream has closed its descriptor meanwhile, and the number may have been another file's: read again from ours.
    if (descriptor.fd !== fd) return copyLater(state, region, buffer, reason);
    const piece = buffer.subarray(0, bytes);
    if (error ? onReadError(state, region, error) : writePiece(state, region, piece, reason)) advance(state);
  });
}

function writePiece(state: Transfer, region: FileRegion, piece: Buffer, reason: CopyReason): boolean {
  if (piece.length === 0) return endShort(state, region);
  region.transferred += piece.length;
  state.copied += piece.length;
  state.context.onCopied(piece.length, reason);
  const isDone = write(state, piece, 'buffer');
  if (!isDone && reason === 'socket-full') state.context.noteWriteProgress(state.socket);
  return isDone;
}

/** The file cannot be read any more: the stream says so as it would have, and what was promised of it cannot be kept. */
function onReadError(state: Transfer, region: FileRegion, error: unknown): boolean {
  const { source } = region;
  region.error = error instanceof Error ? error : new Error(String(error));
  if (source === undefined || source.destroyed) return endShort(state, region);
  region.end();
  source.destroy(region.error);
  endShortOnceClosed(state, region, source);
  return false;
}

/** A stream closes its file before it tells of an error; the app must hear of that before the connection ends by it. */
function endShortOnceClosed(state: Transfer, region: FileRegion, source: NonNullable<FileRegion['source']>): void {
  if (state.socket.destroyed) return abandon(state, null);
  if (!source.closed) setTimeout(endShortOnceClosed, CLOSE_POLL_MS, state, region, source);
  else if (endShort(state, region)) advance(state);
}

/**
 * The file has become shorter than the region. If its length has been promised to the peer, the connection must end: the next
 * response would be taken for the rest of this one. Else it is just the end of the file.
 */
function endShort(state: Transfer, region: FileRegion): boolean {
  state.context.onTruncated();
  if (isPromised(state.socket)) {
    state.socket.destroy();
    abandon(state, null);
    return false;
  }
  region.end();
  state.next++;
  return true;
}

function isPromised(socket: NetSocket): boolean {
  const header = socket._httpMessage?._header;
  return typeof header === 'string' && /^(?:content-length|transfer-encoding):/im.test(header);
}
