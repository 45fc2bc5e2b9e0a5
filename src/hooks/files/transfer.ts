import { ERRNO, errnoName } from '../../native/errno.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { now, poolTurn } from '../../node/clock.js';
import type { NetSocket } from '../../node/net.js';
import type { WriteBatch, WriteCallback, WritePart } from '../../node/streams.js';
import { COPY_PIECE, copyPiece, whyCopied } from './copying.js';
import { waitForRoom } from './full-socket.js';
import { endRegionsBefore, FileRegion, Placeholder } from './region.js';
import { endShort } from './short-file.js';
import { isStageable, sendStaged } from './small-file.js';
import { bufferEncoding, StagedRegion } from './staging.js';
import {
  abandon,
  canOvertakeNode,
  failed,
  goOnNextTurn,
  type Transfer,
  type TransferContext,
  TURN,
  write,
} from './transfer-state.js';

/** Plain writes of up to this size go into the same segment as the region behind them. */
const GREATEST_PREFIX = 16 << 10;

/** The page cache does not lose pages within this time of having been asked; see native/residency.ts. */
const RESIDENT_FOR_MS = 200;

/** Whether a write, or one of a batch, is a region. */
export function hasRegion(writev: boolean, data: WriteBatch | Uint8Array | string): boolean {
  if (!writev || !Array.isArray(data)) return data instanceof Placeholder;
  for (let index = 0; index < data.length; index++) if (data[index]?.chunk instanceof Placeholder) return true;
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
  const state: Transfer = { context, socket, parts, callback, next: 0, copied: 0, advance };
  if (parts.some(isLast)) poolTurn(() => advance(state));
  else advance(state);
}

/**
 * The end of a stream comes a turn of the pool after its last bytes. A client that closes once it has these must not be ahead of it, or the
 * response is taken for aborted: so they leave in the turn in which the end comes.
 */
function isLast({ chunk }: WritePart): boolean {
  return chunk instanceof Placeholder && chunk.isLast;
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

/** Whether Node's own code can write a part, once {@link asBytes} has seen it. */
function isPlain(state: Transfer, { chunk }: WritePart): boolean {
  if (chunk instanceof FileRegion) return false;
  return !(chunk instanceof StagedRegion && isStageable(state, chunk));
}

/** A region that had to wait until others needed the staging buffer is its bytes, as they were read. */
function asBytes(state: Transfer, part: WritePart): WritePart {
  const { chunk } = part;
  if (!(chunk instanceof StagedRegion)) return part;
  const { context, socket } = state;
  endRegionsBefore(socket, chunk);
  const bytes = chunk.bytes();
  context.onCopied(bytes.length, 'small-file');
  chunk.end();
  return { chunk: bytes, encoding: 'buffer' };
}

/** Send the plain parts up to the next region, and with it where it is a staged one. */
function sendPlain(state: Transfer): boolean {
  const { parts, context } = state;
  let end = state.next;
  for (let part = parts[end]; part !== undefined && isPlain(state, part); part = parts[end]) end++;
  const batch: WriteBatch = parts.slice(state.next, end).map((part) => asBytes(state, part));
  const following = parts[end]?.chunk;
  if (following instanceof StagedRegion && (context.joins || batch.length === 0)) {
    const wentOn = sendStaged(state, batch, following, end);
    if (wentOn !== undefined) return wentOn;
  }
  state.next = end;
  const isJoined = context.joins && following instanceof FileRegion && goesBySendfile(state, following);
  if (isJoined) return sendPrefix(state, batch);
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
    region.vainRefills = 0;
    if (handle !== null) context.addBytesWritten(handle, sent);
    context.onSent(sent);
    socket._unrefTimer();
  }
  region.end();
  state.next++;
  return true;
}

/**
 * Whatever is wrong with sendfile, copying goes on from the same byte; and what is wrong with the socket, Node's own write meets as
 * well, but for what the kernel tells once. A socket that is full is waited for.
 */
function onSendfileError(state: Transfer, region: FileRegion, errno: number): boolean {
  if (errno === ERRNO.EAGAIN) return waitForRoom(state, region);
  if (failed(state, -errno)) return false;
  region.copyReason = `refused:${errnoName(errno)}`;
  return copyPiece(state, region, COPY_PIECE, region.copyReason);
}
