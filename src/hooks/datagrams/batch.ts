import { ERRNO } from '../../native/errno.js';
import type { SegmentCalls } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { nextTick } from '../../node/clock.js';
import { copyParts, type DatagramHandle, lengthOf, type Send, type SendArguments } from '../../node/dgram.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { completeInContext, sendError, withBytes } from '../../node/patch/sockets/dgram.js';
import { batchRecord } from '../../report/socket-record.js';

/** Fewer datagrams cost no more when each leaves by itself. */
const LEAST = 2;

/** A socket that sends one datagram a tick is not delayed: after so many vain attempts, most of its datagrams are let through. */
const VAIN_ATTEMPTS = 2;
const MOST_SKIPPED = 64;

/** What is known of a socket. */
interface Sender {
  /** Datagrams to let through before the next attempt to gather some. */
  skip: number;
  /** Attempts in a row that gathered too few. */
  vain: number;
  /** The kernel or the route has refused a batch, or this is no handle of Node's. */
  refused: boolean;
}

/** Arguments of Reflect.apply, to be changed until they are used. */
type Call = [callee: (...args: never[]) => unknown, self: undefined, args: unknown[]];

/** A send that waits to leave. */
interface Waiting {
  readonly args: SendArguments;
  /** Where its bytes begin in the copy, and how many they are. */
  readonly at: number;
  readonly length: number;
  /** What calls the app back in a later tick. */
  readonly call: Call | undefined;
}

/** Errors that mean UDP_SEGMENT, not a datagram: no such segments by this route, or larger than its packets. */
const REFUSALS: ReadonlySet<number> = new Set([ERRNO.EIO, ERRNO.EINVAL, ERRNO.EMSGSIZE]);

/** Errors that mean "not now". */
const FULL: ReadonlySet<number> = new Set([ERRNO.EAGAIN, ERRNO.ENOBUFS, ERRNO.ENOMEM]);

const senders = hiddenSlot<DatagramHandle, Sender>();

/** Note what has become of a send that Node was told to be under way. */
function settle({ args, call }: Waiting, result: number): void {
  if (call === undefined || result > 0) return;
  const [request] = args;
  if (result < 0) {
    call[2] = [sendError(request, result)];
    return;
  }
  // libuv calls back once it has left.
  call[0] = completeInContext;
  call[2] = [request];
}

/**
 * The datagrams that one socket sends to one place in one tick. A thread has one batch at a time: a send of another socket makes the batch
 * leave first, so that all datagrams of the thread leave in the order of stock Node.
 */
export class DatagramBatch {
  readonly #calls: SegmentCalls;
  readonly #prototype: DatagramHandle;
  /** Whether the kernel knows UDP_SEGMENT. One that does not would send all as one datagram. */
  readonly #isSupported: (handle: DatagramHandle) => boolean;
  /** The error that the kernel has for a socket, a number of errno.h; it then has none. */
  readonly #takeError: (handle: DatagramHandle) => number;
  #handle: DatagramHandle | undefined;
  #sender: Sender = { skip: 0, vain: 0, refused: true };
  #send: Send | undefined;
  #waiting: Waiting[] = [];
  #address: string | undefined;
  #socketAddress: Uint8Array | undefined;
  #port = 0;
  #segment = 0;
  #bytes = 0;
  #hasTick = false;

  constructor(
    calls: SegmentCalls,
    prototype: DatagramHandle,
    isSupported: (handle: DatagramHandle) => boolean,
    takeError: (handle: DatagramHandle) => number,
  ) {
    this.#calls = calls;
    this.#prototype = prototype;
    this.#isSupported = isSupported;
    this.#takeError = takeError;
  }

  /** Take a datagram in. False: it is to be sent at once, and what was there has left. */
  take(handle: DatagramHandle, send: Send, isIPv6: boolean, args: SendArguments): boolean {
    if (this.#handle !== handle) {
      this.flush();
      const sender = this.#senderOf(handle);
      if (sender.refused) return false;
      if (sender.skip > 0) {
        sender.skip--;
        return false;
      }
      this.#sender = sender;
    }
    const length = lengthOf(args[1]);
    const port = typeof args[3] === 'number' ? args[3] : 0;
    const [, , , , address] = args;
    if (this.#handle !== undefined && !this.#fits(length, port, address)) this.flush();
    if (this.#handle === undefined && !this.#open(handle, send, isIPv6, length, port, address)) return false;
    this.#add(args, length);
    if (length < this.#segment || !this.#hasRoom()) this.flush();
    return true;
  }

  /** Have everything leave that was taken in. */
  readonly flush = (): void => {
    const handle = this.#handle;
    const send = this.#send;
    if (handle === undefined || send === undefined) return;
    const waiting = this.#waiting;
    this.#handle = undefined;
    this.#waiting = [];
    process.off('exit', this.flush);
    if (waiting.length < LEAST) this.#noteVainAttempt();
    else if (this.#sendTogether(handle, waiting)) return;
    for (const one of waiting) settle(one, send.apply(handle, this.#argumentsOf(one)));
  };

  /** What Node's own function is given: the bytes as they were at `send()`. The app may have used its buffer again. */
  #argumentsOf({ args, at, length }: Waiting): SendArguments {
    const bytes = Buffer.allocUnsafeSlow(length);
    bytes.set(this.#calls.staging.subarray(at, at + length));
    return withBytes(args, bytes);
  }

  #senderOf(handle: DatagramHandle): Sender {
    const known = senders.get(handle);
    if (known !== undefined) return known;
    const refused = Object.getPrototypeOf(handle) !== this.#prototype;
    const sender = { skip: 0, vain: 0, refused };
    senders.set(handle, sender);
    return sender;
  }

  #fits(length: number, port: number, address: string | undefined): boolean {
    return length > 0 && length <= this.#segment && port === this.#port && address === this.#address;
  }

  #hasRoom(): boolean {
    return this.#waiting.length < this.#calls.most && this.#bytes + this.#segment <= this.#calls.staging.length;
  }

  #open(
    handle: DatagramHandle,
    send: Send,
    isIPv6: boolean,
    length: number,
    port: number,
    address: string | undefined,
  ): boolean {
    // An empty one is no segment. Of very large ones, two do not fit.
    if (length <= 0 || length * LEAST > this.#calls.staging.length) return false;
    const socketAddress = address === undefined ? undefined : this.#calls.addressOf(address, isIPv6);
    if (address !== undefined && socketAddress === undefined) return false;
    // No tick follows an 'exit' event. A listener too many would bring a warning.
    if (isEnding() || hasMostExitListeners()) return false;
    this.#handle = handle;
    this.#send = send;
    this.#address = address;
    this.#socketAddress = socketAddress;
    this.#port = port;
    this.#segment = length;
    this.#bytes = 0;
    // What was sent before process.exit() or an exception leaves in stock Node.
    process.on('exit', this.flush);
    if (!this.#hasTick) {
      this.#hasTick = true;
      // Ahead of the callback of the first: errors are known by then.
      nextTick(this.#onTick);
    }
    return true;
  }

  readonly #onTick = (): void => {
    this.#hasTick = false;
    this.flush();
  };

  #add(args: SendArguments, length: number): void {
    const [request, list] = args;
    // A copy: apps use a buffer again, as stock Node has sent it by now.
    copyParts(list, this.#calls.staging, this.#bytes);
    const at = this.#bytes;
    this.#bytes += length;
    const { callback } = request;
    const call: Call | undefined = callback && [callback, undefined, [null, length]];
    // In place of Node's own tick, at the same moment and in the same async context. Reflect.apply leaves no frame in a stack.
    if (call !== undefined) process.nextTick(Reflect.apply, Reflect.apply, undefined, call);
    this.#waiting.push({ args, at, length, call });
  }

  /** Returns false if all have to be sent one by one. */
  #sendTogether(handle: DatagramHandle, waiting: Waiting[]): boolean {
    // Behind what libuv has queued.
    if (handle.getSendQueueCount() > 0) return false;
    if (!this.#isSupported(handle)) {
      this.#sender.refused = true;
      return false;
    }
    const errno = this.#calls.sendSegments(fdOf(handle), this.#bytes, this.#segment, this.#port, this.#socketAddress);
    if (errno === 0) {
      this.#sender.vain = 0;
      batchRecord.sends++;
      batchRecord.datagrams += waiting.length;
      if (this.#socketAddress === undefined) this.#deliverRefusal(handle, waiting);
      return true;
    }
    this.#noteError(errno, waiting);
    return false;
  }

  /**
   * A connected socket on whose peer's port nobody listens. On this machine the kernel knows at once, and in stock Node every second send is told,
   * and does not leave. What an even number of them leaves untold would become an 'error' event.
   */
  #deliverRefusal(handle: DatagramHandle, waiting: readonly Waiting[]): void {
    if (waiting.length % 2 !== 0) return;
    const errno = this.#takeError(handle);
    if (errno === 0) return;
    for (const [index, one] of waiting.entries()) if (index % 2 === 1) settle(one, -errno);
  }

  #noteError(errno: number, waiting: Waiting[]): void {
    if (FULL.has(errno)) return;
    if (REFUSALS.has(errno)) {
      this.#sender.refused = true;
      batchRecord.refusedSockets++;
      return;
    }
    // The next sends may fail as well, each with an error of its own.
    this.#sender.skip = MOST_SKIPPED;
    // The kernel tells some errors only once, as ECONNREFUSED. The first datagram would have got it.
    const first = waiting.shift();
    if (first !== undefined) settle(first, -errno);
  }

  #noteVainAttempt(): void {
    const sender = this.#sender;
    sender.vain++;
    if (sender.vain > VAIN_ATTEMPTS) sender.skip = Math.min(MOST_SKIPPED, 2 ** (sender.vain - VAIN_ATTEMPTS));
  }
}

/** Whether one more listener of 'exit' would bring a warning. A limit of 0 is none (lib/events.js `_addListener`). */
function hasMostExitListeners(): boolean {
  const most = process.getMaxListeners();
  return most > 0 && process.listenerCount('exit') >= most;
}

/** Whether the process has begun to exit (lib/internal/process/per_thread.js `exit`). */
function isEnding(): boolean {
  return Reflect.get(process, '_exiting') === true;
}
