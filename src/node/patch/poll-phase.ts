import { AsyncResource } from 'node:async_hooks';
import { internalBinding } from '../bindings.js';
import { nextTick, type PoolTurn, poolTurn, replacePoolTurn, setImmediate } from '../clock.js';
import type { Undo } from './replace.js';

/** What an event descriptor needs of the system: eventfd(2). */
export interface EventCalls {
  /** Returns a descriptor that counts events, and is readable as often; non-blocking and close-on-exec. An errno, negated, on failure. */
  openEvent(): number;
  /** Add so many events. Returns 0 or an errno, negated. */
  notify(event: number, events: number): number;
  close(fd: number): number;
}

/** The part of Pipe that we use (src/pipe_wrap.cc, src/stream_base.cc). Test: node/patch/poll-phase. */
interface PipeHandle {
  /** Called for what has been read, in the poll phase. */
  onread: () => void;
  open(fd: number): number;
  /** Have reads go there, and not into buffers of their own. The handle does not keep the buffer: whoever made it must. */
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  ref(): void;
  unref(): void;
  close(): void;
}

/** src/pipe_wrap.cc, PipeWrap::SocketType. */
const PIPE_SOCKET = 0;

/**
 * One event. libuv reads on while its buffer comes back full (src/unix/stream.c `uv__read`): so each event has a callback of its own, after which
 * Node runs ticks and microtasks natively. No frame of ours is below them in the stacks of an app's promises.
 */
const EVENT_BYTES = 8;

/** A handle that calls back when the event descriptor is readable; undefined on failure, and then the caller still owns the descriptor. */
function handleFor(fd: number): PipeHandle | undefined {
  const binding = internalBinding('pipe_wrap') as { readonly Pipe: new (type: number) => PipeHandle } | undefined;
  if (binding === undefined) return undefined;
  const handle = new binding.Pipe(PIPE_SOCKET);
  if (handle.open(fd) === 0) return handle;
  handle.close();
  return undefined;
}

/** Who is to be called back. */
interface Later {
  run(): void;
}

const { runInAsyncScope, emitDestroy } = AsyncResource.prototype;

/** A callback of an app or of Node, and the async context of the moment in which it was handed over. The type is that of Node's own requests. */
class CallbackLater extends AsyncResource implements Later {
  readonly #callback: () => void;

  constructor(callback: () => void) {
    super('FSREQCALLBACK', { requireManualDestroy: true });
    this.#callback = callback;
  }

  /**
   * Make it the next tick. One that throws leaves its async context to `uncaughtException`, as Node's own callbacks do; what throws within
   * `runInAsyncScope` has left it by then.
   */
  run(): void {
    Reflect.apply(runInAsyncScope, this, [nextTick, undefined, this.#callback]);
    Reflect.apply(emitDestroy, this, []);
  }
}

/**
 * Calls back in the poll phase, as the thread pool does. There an app's setImmediate() comes ahead of its timers, and what a native
 * function leaves for the check phase, such as the end of a TLS write, is done ahead of the next request.
 */
class PollPhase {
  readonly #calls: EventCalls;
  readonly #fd: number;
  readonly #handle: PipeHandle;
  /** Kept as long as the handle, which reaches it by `onread`. */
  readonly #buffer = Buffer.alloc(EVENT_BYTES);
  /** For the next events. */
  readonly #waiting: Later[] = [];
  /** For the events that are on their way. */
  readonly #due: Later[] = [];
  #isClosing = false;

  constructor(calls: EventCalls, fd: number, handle: PipeHandle) {
    this.#calls = calls;
    this.#fd = fd;
    this.#handle = handle;
    handle.useUserBuffer(this.#buffer);
    handle.onread = () => this.#callBack();
    handle.readStart();
    handle.unref();
  }

  readonly later: PoolTurn = (callback, onlySettles) => {
    const later = onlySettles ? { run: callback } : new CallbackLater(callback);
    if (this.#waiting.push(later) > 1) return;
    this.#handle.ref();
    // Immediates that are queued by now come first, as they do where the pool takes a while.
    setImmediate(this.#notify);
  };

  readonly #notify = (): void => {
    const waiting = this.#waiting.splice(0);
    this.#due.push(...waiting);
    if (this.#calls.notify(this.#fd, waiting.length) === 0) return;
    for (const _ of waiting) setImmediate(() => this.#callBack());
  };

  /** An event, or libuv's word that there are no more: then nobody is due. */
  #callBack(): void {
    this.#due.shift()?.run();
    this.#rest();
  }

  /** The process does not live on for what is not coming. */
  #rest(): void {
    if (this.#waiting.length > 0 || this.#due.length > 0) return;
    if (this.#isClosing) this.#handle.close();
    else this.#handle.unref();
  }

  /** Nothing is handed over any more. What has been is called back. */
  close(): void {
    this.#isClosing = true;
    this.#rest();
  }
}

function open(calls: EventCalls | undefined): PollPhase | undefined {
  if (calls === undefined) return undefined;
  const fd = calls.openEvent();
  if (fd < 0) return undefined;
  const handle = handleFor(fd);
  if (handle !== undefined) return new PollPhase(calls, fd, handle);
  calls.close(fd);
  return undefined;
}

/** What calls back in the poll phase, until it is undone. */
export interface PollPhaseUse {
  /** Open what it needs now, and not at the first callback. */
  open(): void;
  readonly undo: Undo;
}

/**
 * Have what needed no thread pool be called back in the poll phase. Where that cannot be, it comes after two immediates.
 *
 * @param calls undefined where the system has none
 */
export function usePollPhase(calls: () => EventCalls | undefined): PollPhaseUse {
  let phase: PollPhase | undefined;
  let isOpened = false;
  const start = (): void => {
    if (isOpened) return;
    isOpened = true;
    undo();
    phase = open(calls());
    if (phase !== undefined) undo = replacePoolTurn(phase.later);
  };
  let undo = replacePoolTurn((callback, onlySettles) => {
    start();
    poolTurn(callback, onlySettles);
  });
  return {
    open: start,
    undo() {
      isOpened = true;
      undo();
      phase?.close();
    },
  };
}
