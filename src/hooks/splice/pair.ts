import { debug } from '../../diagnostics.js';
import { ERRNO, errnoName } from '../../native/errno.js';
import type { SpliceCalls } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { setImmediate } from '../../node/clock.js';
import type { NetSocket } from '../../node/net.js';
import { addBytesSplicedIn, addBytesSplicedOut, noteWriteProgress, stopReading } from '../../node/patch/net.js';
import { noteRead, postponeRead } from '../../node/patch/streams.js';
import { count, counters } from '../../report/counters.js';
import type { EligibilityContext } from '../files/eligibility.js';
import { callError, isReportedOnce } from '../reported-once.js';
import { shareOfTurn } from '../turn-budget.js';
import { isFlowing, isIdle, type Reason, sinkOf, waitsForDrain } from './eligibility.js';
import { type ThreadPipe, threadPipe } from './kernel-pipe.js';

/** What libuv reads at most by one call (src/unix/stream.c `uv__read`; src/stream_base.cc allocates it). */
const FULL_READ = 64 << 10;

/** Less than this Node reads and writes at least as fast. */
const LEAST_UNREAD = 32 << 10;

/** Least bytes that are asked for, however full the sink is. What it does not take has to be copied. */
const LEAST_FILL = 64 << 10;

/** Bytes that are asked for first. As long as the sink takes them all it is twice as many the next time. */
const FIRST_FILL = 128 << 10;

/** What pairs need from outside. */
export interface PairContext extends EligibilityContext {
  /** Asked for when the first buffer was full. */
  calls(): SpliceCalls | undefined;
  /** Whether the hook is in place. */
  isInstalled(): boolean;
  /** Node's own `_read`. */
  readonly read: NetSocket['_read'];
}

/**
 * - `node`: Node reads.
 * - `postponed`: nobody reads. The pipe waits for the sink's 'drain', and calls `_read` then.
 * - `queued`: nobody reads. The pair has its turn soon.
 * - `waiting`: nobody reads. Node writes to the full sink what was spliced and did not fit, and calls back.
 */
type Phase = 'node' | 'postponed' | 'queued' | 'waiting';

/** Pairs that have a turn soon. */
let queued = 0;

/**
 * A socket that is piped to another. While the source fills whole buffers, bytes go from one to the other by splice(2), a turn of the event
 * loop at a time. Between turns the kernel pipe is empty: what was read is with the sink, as if Node had read and written it.
 */
export class Pair {
  private readonly context: PairContext;
  private readonly source: NetSocket;
  private sink: NetSocket | undefined;
  private phase: Phase = 'node';
  /** `bytesRead` of the source at the last look. */
  private bytesRead: number;
  private reason: string | undefined;
  /** For good: a socket that cannot. */
  private isRefused = false;
  private hasSpliced = false;
  /** Bytes that the sink is likely to take. Its send buffer is not all: TCP_NOTSENT_LOWAT may stop it before. */
  private likely = FIRST_FILL;

  constructor(context: PairContext, source: NetSocket) {
    this.context = context;
    this.source = source;
    this.bytesRead = source._handle?.bytesRead ?? 0;
  }

  /** Readable wants bytes of the source: in stock Node the handle goes on reading, or begins to. */
  onRead(size: number): void {
    if (this.phase === 'queued' || this.phase === 'waiting') return this.onReadMeanwhile(size);
    const isWanted = this.phase === 'postponed' || this.hasFilledBuffer();
    this.phase = 'node';
    if (isWanted && !this.isRefused) this.onFullBuffer(size);
    else this.context.read.call(this.source, size);
  }

  /** Whether libuv has filled a buffer since the last look: more is likely to wait in the kernel. */
  private hasFilledBuffer(): boolean {
    const bytesRead = this.source._handle?.bytesRead ?? 0;
    const isFull = bytesRead - this.bytesRead >= FULL_READ;
    this.bytesRead = bytesRead;
    return isFull;
  }

  private onReadMeanwhile(size: number): void {
    // A pipe that is gone may have left its place to another consumer, who must not wait for the old sink.
    if (sinkOf(this.context, this.source) === this.sink) return postponeRead(this.source);
    this.phase = 'node';
    this.context.read.call(this.source, size);
  }

  private onFullBuffer(size: number): void {
    const sink = sinkOf(this.context, this.source);
    if (typeof sink === 'string') return this.leaveToNode(sink, size);
    const calls = this.context.calls();
    if (calls === undefined) return this.refuse('no-native-calls', size);
    if (!isFlowing(this.source) || !isIdle(sink)) return this.postpone(calls, sink, size);
    if (calls.unread(fdOf(this.source._handle)) < LEAST_UNREAD) return this.handBack(size);
    this.stopReading();
    this.sink = sink;
    this.takeTurn();
  }

  /** Splice in a later phase of the event loop: whatever is queued now comes before, as it would come before Node's next read. */
  private takeTurn(): void {
    this.phase = 'queued';
    queued++;
    setImmediate(() => {
      queued--;
      if (this.phase === 'queued') this.turn();
    });
  }

  private stopReading(): void {
    if (this.source._handle !== null) stopReading(this.source._handle);
    // Readable goes on asking, and so whoever wants the bytes in another way is heard.
    postponeRead(this.source);
  }

  private turn(): void {
    const { source } = this;
    const handle = source._handle;
    // Somebody else reads from the handle by now.
    if (source.destroyed || handle === null || handle.reading === true) return this.toNode();
    const calls = this.context.calls();
    const sink = sinkOf(this.context, source);
    if (calls === undefined || !this.context.isInstalled() || hasEnded(source, sink)) return this.handBack();
    if (typeof sink === 'string') return this.leaveToNode(sink);
    if (sink !== this.sink) return this.handBack();
    if (!isFlowing(source) || !isIdle(sink)) return this.postpone(calls, sink);
    const pipe = threadPipe(calls, handle);
    if (typeof pipe === 'number') return this.leaveToNode(`no-kernel-pipe:${errnoName(-pipe)}`);
    this.move(calls, pipe, sink);
  }

  /** Move bytes until the source has none, the sink takes none, or the share of this turn is used up. */
  private move(calls: SpliceCalls, pipe: ThreadPipe, sink: NetSocket): void {
    const share = shareOfTurn(queued + 1);
    const [from, to] = [fdOf(this.source._handle), fdOf(sink._handle)];
    let moved = 0;
    let filled = 0;
    let failure = 0;
    while (moved < share && failure === 0) {
      filled = pipe.fill(from, Math.max(Math.min(calls.room(to), this.likely, pipe.size, share - moved), LEAST_FILL));
      if (filled <= 0) break;
      failure = pipe.empty(to);
      moved += filled - pipe.held;
      this.likely = failure === 0 ? Math.min(this.likely * 2, pipe.size) : Math.max(filled - pipe.held, LEAST_FILL);
    }
    this.noteMoved(sink, moved, pipe.held);
    if (pipe.held > 0) this.onSinkFailure(calls, pipe, sink, -failure, moved > 0);
    else if (filled > 0) this.takeTurn();
    else this.onSourceFailure(-filled);
  }

  /** @param held bytes that were read, and wait for the sink */
  private noteMoved(sink: NetSocket, moved: number, held: number): void {
    const { source } = this;
    if (source._handle !== null && moved + held > 0) {
      addBytesSplicedOut(source._handle, moved + held);
      source._unrefTimer();
    }
    if (moved === 0) return;
    if (sink._handle !== null) addBytesSplicedIn(sink._handle, moved);
    sink._unrefTimer();
    counters.splicedBytes += moved;
    if (!this.hasSpliced) counters.splicedPairs++;
    this.hasSpliced = true;
  }

  /** The source has nothing (EAGAIN), or its peer has ended (0): Node waits for it, or finds the end. So with errors, but those of one report. */
  private onSourceFailure(errno: number): void {
    if (isReportedOnce(errno)) {
      this.toNode();
      this.source.destroy(callError('read', errno));
    } else if (errno === 0 || errno === ERRNO.EAGAIN) this.handBack();
    else this.refuse(`refused:${errnoName(errno)}`);
  }

  /** A full sink is waited for by Node's own write of what did not fit. That meets every other error as well, but those of one report. */
  private onSinkFailure(
    calls: SpliceCalls,
    pipe: ThreadPipe,
    sink: NetSocket,
    errno: number,
    hasProgress: boolean,
  ): void {
    const rest = pipe.takeOut();
    if (rest === undefined || isReportedOnce(errno)) {
      sink.destroy(callError('write', rest === undefined ? ERRNO.EIO : errno));
      return this.handBack();
    }
    this.phase = 'waiting';
    sink.write(rest, () => {
      if (this.phase === 'waiting') this.takeTurn();
    });
    if (hasProgress) noteWriteProgress(sink);
    if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EPIPE) this.refuse(`refused:${errnoName(errno)}`);
    else if (!this.hasPlenty(calls)) this.handBack();
  }

  /**
   * Whether Node would not read on either: it reads ahead of a full sink, until as much waits in JavaScript. With less it goes on, and so it
   * learns that the peer is gone.
   */
  private hasPlenty(calls: SpliceCalls): boolean {
    return calls.unread(fdOf(this.source._handle)) >= this.source.readableHighWaterMark;
  }

  /** Wait for the sink's 'drain' with an empty stream, where Node would not read on, and 'drain' is bound to come. */
  private postpone(calls: SpliceCalls, sink: NetSocket, size?: number): void {
    if (!waitsForDrain(this.source, sink) || !this.hasPlenty(calls)) return this.handBack(size);
    this.stopReading();
    this.phase = 'postponed';
  }

  private refuse(reason: Reason, size?: number): void {
    this.isRefused = true;
    this.leaveToNode(reason, size);
  }

  /** Leave the pair to Node, and count the reason: once a change, not once a buffer. */
  private leaveToNode(reason: Reason, size?: number): void {
    if (this.reason !== reason) {
      this.reason = reason;
      count(counters.notSpliced, reason);
      debug('not spliced, %s', reason);
    }
    this.handBack(size);
  }

  /** Have Node read again. */
  private handBack(size = this.source.readableHighWaterMark): void {
    this.toNode();
    const { source } = this;
    if (source.destroyed || source._handle === null) return;
    noteRead(source);
    this.context.read.call(source, size);
  }

  private toNode(): void {
    this.phase = 'node';
    this.sink = undefined;
    this.bytesRead = this.source._handle?.bytesRead ?? 0;
  }
}

/** Whether the pipe has ended by itself. Nothing was left to Node then. */
function hasEnded({ _readableState }: NetSocket, sink: NetSocket | Reason): boolean {
  return _readableState.pipes.length === 0 || sink === 'destination-ended';
}
