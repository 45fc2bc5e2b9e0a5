import { familyOf } from '../../native/sockets/handle-fd.js';
import type { CopyReason, FileRegion } from './region.js';
import { endShort, onReadError } from './short-file.js';
import { abandon, goOnNextTurn, type Transfer, TURN, write } from './transfer-state.js';

/** After EAGAIN: a piece for Node's own write to queue; its callback says that the socket takes bytes again. */
const WAIT_PIECE = 8 << 10;

/** Where sendfile is no use: as much at a time as fs.ReadStream would read. */
export const COPY_PIECE = 64 << 10;

export function whyCopied({ socket }: Transfer, region: FileRegion): CopyReason {
  if (region.copyReason !== undefined) return region.copyReason;
  return familyOf(socket._handle) === undefined ? 'not-a-plain-socket' : 'not-resident';
}

/** Where sendfile takes nothing even from a socket that does take bytes, waiting turns into copying step by step. */
export function waitPiece(region: FileRegion): number {
  const piece = Math.min(WAIT_PIECE << region.vainWaits, COPY_PIECE);
  if (piece < COPY_PIECE) region.vainWaits++;
  return piece;
}

/** Read the next piece of a region, in the thread pool unless it is in the page cache, and write it. */
export function copyPiece(state: Transfer, region: FileRegion, size: number, reason: CopyReason): boolean {
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
    if (error ? onReadError(state, region, error) : writePiece(state, region, piece, reason)) state.advance(state);
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
