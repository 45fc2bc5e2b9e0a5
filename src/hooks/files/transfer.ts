import type { read, readSync } from 'node:fs';
import { asError } from '../../errors.js';
import { ERRNO, errnoName } from '../../native/errno.js';
import type { FileCalls } from '../../native/platform.js';
import { familyOf, fdOf } from '../../native/sockets/handle-fd.js';
import { now, poolTurn, setImmediate, setTimeout } from '../../node/clock.js';
import type { NetSocket, SocketHandle, WriteGeneric } from '../../node/net.js';
import type { WriteBatch, WriteCallback, WritePart } from '../../node/streams.js';
import { callError, isReportedOnce } from '../reported-once.js';
import { promisesLength } from './eligibility.js';
import { type CopyReason, endRegionsBefore, FileRegion, Placeholder } from './region.js';
import { bytesOf, joined, StagedRegion } from './staging.js';

/** Most bytes sent in one turn of the event loop: a client that takes all it is given must not keep the loop to itself. */
const TURN = 1 << 20;

/** Plain writes of up to this size go into the same segment as the region behind them. */
const GREATEST_PREFIX = 16 << 10;

/** Where sendfile is no use: as much at a time as fs.ReadStream would read. */
const COPY_PIECE = 64 << 10;

/** After EAGAIN: a piece for Node's own write to queue. Its callback says that the socket takes bytes again. */
const WAIT_PIECE = 8 << 10;

/** Timers in a row that may bring nothing: acknowledgements come in bursts, with gaps between them. */
const MOST_FRUITLESS_TIMERS = 2;

/** The page cache keeps pages for at least this time after it was asked; see native/files/residency.ts. */
const RESIDENT_FOR_MS = 200;

/** How often a stream is asked whether it has closed, in milliseconds. */
const CLOSE_POLL_MS = 1;

/** What a transfer needs from outside. */
export interface TransferContext {
  readonly files: FileCalls;
  /** What goes ahead of a region, mostly HTTP's headers, is sent in the same segment. */
  readonly joins: boolean;
  /** Node's own functions. */
  readonly write: WriteGeneric;
  readonly read: typeof read;
  readonly readSync: typeof readSync;
  addBytesWritten(handle: SocketHandle, bytes: number): void;
  /** The write that is queued now belongs to one of which more has been taken already. */
  noteWriteProgress(socket: NetSocket): void;
  /** `bytes` went by sendfile, or were copied for the reason given. */
  onSent(bytes: number): void;
  onCopied(bytes: number, reason: CopyReason): void;
  /** A file had fewer bytes than its region. */
  onTruncated(): void;
}

/** Send what `_writeGeneric` was given, where some of it is regions. The socket has a handle and is connected. */
export function transfer(
  context: TransferContext,
  socket: NetSocket,
  data: WriteBatch | Uint8Array | string,
  encoding: string,
  callback: WriteCallback,
): void {
  new Transfer(context, socket, Array.isArray(data) ? data : [{ chunk: data, encoding }], callback).start();
}

/** What a step of a transfer has come to: the next step may follow now, or a callback goes on (or all is over). */
type Progress = typeof GO_ON | typeof WAITING;

const GO_ON = 'go-on';
const WAITING = 'waiting';

/**
 * Sends the parts of one call of `_writeGeneric` in their order, and calls back once, at the end.
 *
 * `advance` is the loop. Each part goes by one of the ways below it, from the fastest to the one that waits. Methods are private to
 * the compiler alone: V8 marks each object of a class with `#methods` by a call of its runtime.
 */
class Transfer {
  private readonly context: TransferContext;
  private readonly socket: NetSocket;
  private readonly parts: readonly WritePart[];
  private readonly callback: WriteCallback;
  /** Index of the part that is sent now. */
  private next = 0;
  /** Bytes copied since others had a turn of the event loop. */
  private copied = 0;

  constructor(context: TransferContext, socket: NetSocket, parts: readonly WritePart[], callback: WriteCallback) {
    this.context = context;
    this.socket = socket;
    this.parts = parts;
    this.callback = callback;
  }

  /**
   * Send now, or with the last bytes of a stream in the turn in which its end comes, a turn of the thread pool later. A client
   * that closes once it has all bytes must not be ahead of the end, or the response is taken for aborted.
   */
  start(): void {
    if (this.parts.some(endsStream)) poolTurn(() => this.advance());
    else this.advance();
  }

  /** Go on until all is sent, or something has to be waited for, whose callback comes here again. */
  private advance(): void {
    for (let part = this.parts[this.next]; part !== undefined; part = this.parts[this.next]) {
      if (this.socket.destroyed || this.socket._handle === null) return this.abandon(null);
      const progress = part.chunk instanceof FileRegion ? this.sendRegion(part.chunk) : this.sendPlain();
      if (progress === WAITING) return;
    }
    this.callback();
  }

  /** Send the plain parts up to the next region, and that with them where its bytes are staged. */
  private sendPlain(): Progress {
    const { context, parts } = this;
    let end = this.next;
    for (let part = parts[end]; part !== undefined && this.isPlain(part); part = parts[end]) end++;
    const batch: WriteBatch = parts.slice(this.next, end).map((part) => this.asBytes(part));
    const following = parts[end]?.chunk;
    if (following instanceof StagedRegion && (context.joins || batch.length === 0)) {
      const bytes = joined(context.files.staging, batch, following);
      if (bytes !== undefined) return this.sendStaged(bytes, following, end);
    }
    this.next = end;
    if (context.joins && following instanceof FileRegion && this.goesBySendfile(following))
      return this.sendPrefix(batch);
    batch.allBuffers = batch.every(({ chunk }) => typeof chunk !== 'string');
    return this.write(batch, '');
  }

  /** Whether Node's own code can write a part, once {@link asBytes} has seen it. */
  private isPlain({ chunk }: WritePart): boolean {
    if (chunk instanceof FileRegion) return false;
    return !(chunk instanceof StagedRegion && chunk.staged !== undefined && this.canPassNode(chunk));
  }

  /** A staged region that has to go by Node's own write is its bytes, copied out of the staging buffer. */
  private asBytes(part: WritePart): WritePart {
    const { chunk } = part;
    if (!(chunk instanceof StagedRegion)) return part;
    endRegionsBefore(this.socket, chunk);
    const bytes = chunk.bytes();
    this.context.onCopied(bytes.length, 'small-file');
    chunk.end();
    return { chunk: bytes, encoding: 'buffer' };
  }

  /**
   * A staged region, and what goes ahead of it, by one call. What the socket does not take of them is Node's to write.
   *
   * @param at where in the parts the region is
   */
  private sendStaged(bytes: Buffer, region: StagedRegion, at: number): Progress {
    const { context, socket } = this;
    endRegionsBefore(socket, region);
    const answer = context.files.send(fdOf(socket._handle), bytes, false);
    if (this.isBroken(answer)) return WAITING;
    // Node's own write meets any other error as well.
    const sent = Math.max(answer, 0);
    const rest = sent < bytes.length ? Buffer.copyBytesFrom(bytes, sent) : undefined;
    this.next = at + 1;
    region.end();
    context.onCopied(region.count, 'small-file');
    if (sent > 0) this.noteSent(sent);
    return rest === undefined ? GO_ON : this.writeRest(rest, sent > 0);
  }

  /** Headers and the like: with MSG_MORE they wait in the kernel for the file's first bytes, which follow at once. */
  private sendPrefix(batch: WriteBatch): Progress {
    const { context, socket } = this;
    const bytes = Buffer.concat(batch.map(bytesOf));
    if (bytes.length > GREATEST_PREFIX) return this.write(bytes, 'buffer');
    const sent = context.files.send(fdOf(socket._handle), bytes, true);
    if (this.isBroken(sent)) return WAITING;
    if (sent <= 0) return this.write(bytes, 'buffer');
    if (socket._handle !== null) context.addBytesWritten(socket._handle, sent);
    return sent === bytes.length ? GO_ON : this.write(bytes.subarray(sent), 'buffer');
  }

  /** Send a region by sendfile as far as the socket takes it, or this turn of the event loop does. */
  private sendRegion(region: FileRegion): Progress {
    endRegionsBefore(this.socket, region);
    const turnEnds = region.transferred + TURN;
    while (region.remaining > 0 && !region.ended) {
      if (!this.goesBySendfile(region)) return this.copy(region, COPY_PIECE, this.whyCopied(region));
      if (region.transferred >= turnEnds) return this.goOnNextTurn();
      const sent = this.sendfile(region, Math.min(region.residentTo, turnEnds) - region.transferred);
      if (sent === 0) return this.endShort(region);
      if (sent < 0) return this.onSendfileError(region, -sent);
    }
    return this.endRegion(region);
  }

  /** @returns bytes that were sent, or a negative errno */
  private sendfile(region: FileRegion, count: number): number {
    const { context, socket } = this;
    const sent = context.files.sendfile(fdOf(socket._handle), region.descriptor.fd, region.offset, count);
    if (sent <= 0) return sent;
    region.transferred += sent;
    region.fruitlessWaits = 0;
    region.fruitlessTimers = 0;
    context.onSent(sent);
    this.noteSent(sent);
    return sent;
  }

  private endRegion(region: FileRegion): Progress {
    region.end();
    this.next++;
    return GO_ON;
  }

  /** Whether the next bytes of a region can be given to sendfile now: it would neither wait for a disk nor pass anything. */
  private goesBySendfile(region: FileRegion): boolean {
    return region.copyReason === undefined && this.canPassNode(region) && this.isResident(region);
  }

  /** Whether a region's bytes can go past Node's own write: to a plain socket of which nothing is queued. */
  private canPassNode(region: Placeholder): boolean {
    const { _handle: handle } = this.socket;
    return !region.ended && familyOf(handle) !== undefined && (handle?.writeQueueSize ?? 0) === 0;
  }

  private isResident(region: FileRegion): boolean {
    const asked = now();
    if (asked - region.residentAt < RESIDENT_FOR_MS && region.transferred < region.residentTo) return true;
    const count = Math.min(region.remaining, TURN);
    const resident = this.context.files.resident(region.descriptor.fd, region.offset, count);
    if (resident < 0) {
      region.copyReason = 'residency-unknown';
      return false;
    }
    region.residentAt = asked;
    region.residentTo = region.transferred + resident;
    return resident > 0;
  }

  /**
   * A full socket is waited for. After any other error copying goes on from the same byte: what is wrong with the socket, Node's own
   * write meets as well, but for what the kernel reports once.
   */
  private onSendfileError(region: FileRegion, errno: number): Progress {
    if (errno === ERRNO.EAGAIN) return this.waitForRoom(region);
    if (this.isBroken(-errno)) return WAITING;
    region.copyReason = `refused:${errnoName(errno)}`;
    return this.copy(region, COPY_PIECE, region.copyReason);
  }

  /**
   * Wait by a timer where the socket would say late that it takes bytes again, else by Node's own write of a small piece. Stock Node need
   * not care: while its reads fill the buffer bit by bit, acknowledgements make room for more.
   */
  private waitForRoom(region: FileRegion): Progress {
    const mayWait = region.fruitlessTimers < MOST_FRUITLESS_TIMERS;
    const delay = mayWait ? this.context.files.refillDelay(fdOf(this.socket._handle)) : 0;
    if (delay === 0) return this.copy(region, waitPiece(region), 'socket-full');
    region.fruitlessTimers++;
    setTimeout(() => this.advance(), delay);
    return WAITING;
  }

  private whyCopied(region: FileRegion): CopyReason {
    if (region.copyReason !== undefined) return region.copyReason;
    return familyOf(this.socket._handle) === undefined ? 'not-a-plain-socket' : 'not-resident';
  }

  /** Read the next piece of a region, in the thread pool unless it is in the page cache, and write it. */
  private copy(region: FileRegion, size: number, reason: CopyReason): Progress {
    if (this.copied >= TURN) {
      this.copied = 0;
      return this.goOnNextTurn();
    }
    const { context } = this;
    const buffer = Buffer.allocUnsafeSlow(Math.min(size, region.remaining));
    const { fd } = region.descriptor;
    if (context.files.resident(fd, region.offset, buffer.length) < buffer.length)
      return this.copyLater(region, buffer, reason);
    let bytes: number;
    try {
      bytes = context.readSync(fd, buffer, 0, buffer.length, region.offset);
    } catch (error) {
      return this.onReadError(region, error);
    }
    return this.writePiece(region, buffer.subarray(0, bytes), reason);
  }

  private copyLater(region: FileRegion, buffer: Buffer, reason: CopyReason): Progress {
    const { descriptor } = region;
    const { fd } = descriptor;
    descriptor.hold();
    this.context.read(fd, buffer, 0, buffer.length, region.offset, (error, bytes) => {
      descriptor.letGo();
      if (this.socket.destroyed || region.ended) return this.abandon(null);
      // The stream has closed its descriptor meanwhile, and the number may have been another file's: read again from ours.
      if (descriptor.fd !== fd) return this.copyLater(region, buffer, reason);
      const piece = buffer.subarray(0, bytes);
      if ((error ? this.onReadError(region, error) : this.writePiece(region, piece, reason)) === GO_ON) this.advance();
    });
    return WAITING;
  }

  private writePiece(region: FileRegion, piece: Buffer, reason: CopyReason): Progress {
    if (piece.length === 0) return this.endShort(region);
    region.transferred += piece.length;
    this.copied += piece.length;
    this.context.onCopied(piece.length, reason);
    return this.writeRest(piece, reason === 'socket-full');
  }

  /** The file cannot be read any more. The stream says so as it would have, and what was promised of the file cannot be kept. */
  private onReadError(region: FileRegion, error: unknown): Progress {
    const { source } = region;
    region.error = asError(error);
    if (source === undefined || source.destroyed) return this.endShort(region);
    region.end();
    source.destroy(region.error);
    this.endShortOnceClosed(region, source);
    return WAITING;
  }

  /** A stream closes its file before it tells of an error, and the app must hear of that before the connection ends by it. */
  private endShortOnceClosed(region: FileRegion, source: NonNullable<FileRegion['source']>): void {
    if (this.socket.destroyed) return this.abandon(null);
    if (!source.closed) setTimeout(() => this.endShortOnceClosed(region, source), CLOSE_POLL_MS);
    else if (this.endShort(region) === GO_ON) this.advance();
  }

  /**
   * The file has become shorter than the region. If its length has been promised to the peer, the connection must end: the next
   * response would be taken for the rest of this one. Else it is just the end of the file.
   */
  private endShort(region: FileRegion): Progress {
    this.context.onTruncated();
    if (!promisesLength(this.socket._httpMessage)) return this.endRegion(region);
    this.socket.destroy();
    this.abandon(null);
    return WAITING;
  }

  private noteSent(bytes: number): void {
    const { _handle: handle } = this.socket;
    if (handle !== null) this.context.addBytesWritten(handle, bytes);
    this.socket._unrefTimer();
  }

  /** @param isRest the socket's timeout is to know that the write has made progress before */
  private writeRest(bytes: Buffer, isRest: boolean): Progress {
    const progress = this.write(bytes, 'buffer');
    if (progress === WAITING && isRest) this.context.noteWriteProgress(this.socket);
    return progress;
  }

  /** Write by Node's own code. Where that is done at once the caller's loop goes on, and is not entered anew. */
  private write(data: WriteBatch | Uint8Array, encoding: string): Progress {
    let hasReturned = false;
    let progress: Progress = WAITING;
    this.context.write.call(this.socket, Array.isArray(data), data, encoding, (error) => {
      if (error) return this.abandon(error);
      progress = GO_ON;
      if (hasReturned) this.advance();
    });
    hasReturned = true;
    return progress;
  }

  private goOnNextTurn(): Progress {
    setImmediate(() => this.advance());
    return WAITING;
  }

  /** Whether a call of ours was told that the connection is broken. Then all is over, as after a write of Node's own. */
  private isBroken(answer: number): boolean {
    if (answer >= 0 || !isReportedOnce(-answer)) return false;
    this.abandon(callError('write', -answer));
    return true;
  }

  /** End what is left and tell Node, as its own write does where the socket is destroyed under it (null) or fails. */
  private abandon(error: Error | null): void {
    for (const { chunk } of this.parts) if (chunk instanceof Placeholder) chunk.end();
    this.callback(error);
  }
}

function endsStream({ chunk }: WritePart): boolean {
  return chunk instanceof Placeholder && chunk.isLast;
}

/** Where sendfile takes nothing even from a socket that does take bytes, waiting turns into copying step by step. */
function waitPiece(region: FileRegion): number {
  const piece = Math.min(WAIT_PIECE << region.fruitlessWaits, COPY_PIECE);
  if (piece < COPY_PIECE) region.fruitlessWaits++;
  return piece;
}
