import { AsyncResource } from 'node:async_hooks';
import { internalBinding } from '../bindings.js';
import { nextTick, poolTurn, replacePoolTurn, setImmediate } from '../clock.js';
import { isNodesOwn } from '../own-source.js';
import type { Undo } from './replace.js';

/** What an event descriptor needs of the system: eventfd(2). */
export interface EventCalls {
  /** Returns a descriptor, non-blocking and close-on-exec, or an errno, negated. */
  openEvent(): number;
  /** Make it readable. Returns 0 or an errno, negated. */
  notify(fd: number): number;
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

/** An eventfd is read by 8 bytes. */
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

/** A callback, and the async context of the moment in which it was handed over. The type is that of Node's own requests of `fs`. */
class Later extends AsyncResource {
  readonly callback: () => void;

  constructor(callback: () => void) {
    super('FSREQCALLBACK');
    this.callback = callback;
  }

  /**
   * Make it the next tick. One that throws leaves its async context to `uncaughtException`, as Node's own callbacks do; what throws within
   * `runInAsyncScope` has left it by then.
   */
  makeNextTick(): void {
    this.runInAsyncScope(nextTick, undefined, this.callback);
  }
}

/** Runs ticks and microtasks, as after each callback of Node's own (lib/internal/process/task_queues.js `runNextTicks`). */
type RunTicks = () => void;

/**
 * Calls back in the poll phase, as the thread pool does. There an app's setImmediate() comes ahead of its timers, and what a native
 * function leaves for the check phase, such as the end of a TLS write, is done ahead of the next request.
 */
class PollPhase {
  readonly #calls: EventCalls;
  readonly #fd: number;
  readonly #handle: PipeHandle;
  readonly #runTicks: RunTicks;
  /** Kept as long as the handle, which reaches it by `onread`. */
  readonly #buffer = Buffer.alloc(EVENT_BYTES);
  /** For the next event. */
  readonly #waiting: Later[] = [];
  /** For the event that is on its way. */
  readonly #due: Later[] = [];
  #isClosing = false;

  constructor(calls: EventCalls, fd: number, handle: PipeHandle, runTicks: RunTicks) {
    this.#calls = calls;
    this.#fd = fd;
    this.#handle = handle;
    this.#runTicks = runTicks;
    handle.useUserBuffer(this.#buffer);
    handle.onread = () => this.#callBack();
    handle.readStart();
    handle.unref();
  }

  readonly later = (callback: () => void): void => {
    if (this.#waiting.push(new Later(callback)) > 1) return;
    this.#handle.ref();
    // Immediates that are queued by now come first, as they do where the pool takes a while.
    setImmediate(this.#notify);
  };

  readonly #notify = (): void => {
    this.#due.push(...this.#waiting.splice(0));
    this.#callBackSoon();
  };

  #callBackSoon(): void {
    if (this.#calls.notify(this.#fd) !== 0) setImmediate(() => this.#callBack());
  }

  #callBack(): void {
    const due = this.#due.splice(0);
    let called = 0;
    try {
      for (const later of due) {
        called++;
        later.makeNextTick();
        // With all that it leads to, ahead of the next one.
        this.#runTicks();
      }
    } finally {
      // One has thrown. An app that goes on after that has the others too.
      if (called < due.length) {
        this.#due.unshift(...due.slice(called));
        this.#callBackSoon();
      }
      this.#rest();
    }
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
  const { _tickCallback: runTicks } = process as { readonly _tickCallback?: unknown };
  if (calls === undefined || !isNodesOwn(runTicks, 'process._tickCallback')) return undefined;
  const fd = calls.openEvent();
  if (fd < 0) return undefined;
  const handle = handleFor(fd);
  if (handle !== undefined) return new PollPhase(calls, fd, handle, runTicks as RunTicks);
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
  let undo = replacePoolTurn((callback) => {
    start();
    poolTurn(callback);
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
