import { debug } from '../../diagnostics.js';
import { platform } from '../../native/index.js';
import { isInForeground } from '../../native/terminal.js';
import { clearTimeout, monotonic, setTimeout } from '../../node/clock.js';
import { ownWorkers } from '../../node/cluster.js';
import { awaitOrder, leaveWithWorkers, reportLeft } from './cluster-leaving.js';
import { closeServers, hasEmptyQueues, hasServers, isListening, noteLeaving, stopNewcomers } from './drain.js';
import type { EndingSignal } from './unheard-signal.js';

const { signals: NUMBERS } = process.getBuiltinModule('node:os').constants;

/** Longer than any process lives. */
const LONG_MS = 2 ** 31 - 1;

/** What the workers of a cluster may take longer than their primary. */
const WORKERS_MARGIN_MS = 1000;

/** How long a cluster's primary passes on what is in its queues, at most, ahead of the closing of its workers' servers. */
const LONGEST_QUEUES_MS = 2000;

/** No more of the time of a drain than this is spent so: the rest is for the requests. */
const QUEUES_SHARE = 1 / 2;

/** Between two looks at them. */
const QUEUES_PAUSE_MS = 20;

/** How long leaving may take, in milliseconds. */
export interface LeavingTimes {
  /** For which the process goes on accepting. */
  readonly delay: number;
  /** Which its servers have to finish their connections after that. */
  readonly drain: number;
}

/** The same of a worker, told by its primary: some of the time for the connections is for the primary's queues. */
function timesOfWorker(delay: number, { drain }: LeavingTimes): LeavingTimes {
  return { delay, drain: drain - timeForQueues(drain) };
}

/** Milliseconds out of the time of a drain. */
function timeForQueues(drain: number): number {
  return Math.min(LONGEST_QUEUES_MS, drain * QUEUES_SHARE);
}

/** Have a cluster's primary accept no newcomers, and call `then` when its workers have what was in its queues. */
function emptyQueues(longest: number, then: () => void): void {
  const began = monotonic();
  const system = platform();
  stopNewcomers(system);
  const look = (): void => {
    if (hasEmptyQueues(system) || monotonic() - began >= longest) then();
    else setTimeout(look, QUEUES_PAUSE_MS);
  };
  // Behind the poll for events: Node has accepted what was in the kernel's queue.
  setTimeout(look, QUEUES_PAUSE_MS);
}

/** The workers go on accepting until the primary's queues are empty: they would be reset with the last worker's server. */
function leaveAsPrimary({ delay, drain }: LeavingTimes, then: () => void): void {
  const queues = timeForQueues(drain);
  const closeNow = leaveWithWorkers(delay + queues, delay + drain + WORKERS_MARGIN_MS, then);
  setTimeout(() => emptyQueues(queues, closeNow), delay);
}

/**
 * Take leave of all clients: go on accepting for some time, close every server, and finish their connections.
 *
 * @returns a function that closes the servers now
 */
function leave(times: LeavingTimes, then: () => void): () => void {
  const { delay, drain } = times;
  noteLeaving(monotonic() + delay + drain);
  const hasWorkers = ownWorkers().length > 0;
  if (!hasWorkers && !hasServers()) {
    then();
    return () => undefined;
  }
  debug('leaving in %d ms', delay);
  // An empty event loop would end the process, and not by the signal.
  const hold = setTimeout(() => undefined, LONG_MS);
  let left = 2;
  const part = (): void => {
    left--;
    if (left > 0) return;
    clearTimeout(hold);
    then();
  };
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    clearTimeout(timer);
    closeServers(part);
  };
  const timer = setTimeout(close, isListening() ? delay : 0);
  if (hasWorkers) leaveAsPrimary(times, part);
  else part();
  return close;
}

/** Whether a signal asks a server to end when it is done. Somebody at a terminal who presses Ctrl+C waits for the end. */
function asksToLeave(signal: EndingSignal): boolean {
  return signal === 'SIGTERM' || (signal === 'SIGINT' && !isInForeground());
}

/** How a process takes leave of its clients when it is told to end: by a signal, by the primary of its cluster, or by both. */
export class Leaving {
  readonly #times: LeavingTimes;
  readonly #end: (signal: EndingSignal) => void;
  /** It tells, and does not end this process: the primary's end does. */
  readonly #stopWaiting: (() => void) | undefined;
  #signal: EndingSignal | undefined;
  #isOrdered = false;
  /** Closes the servers; undefined before this process takes leave. */
  #close: (() => void) | undefined;
  #isDone = false;

  /** @param end ends the process by the signal; it returns only in process 1 of a container */
  constructor(times: LeavingTimes, end: (signal: EndingSignal) => void) {
    this.#times = times;
    this.#end = end;
    this.#stopWaiting = awaitOrder((delay) => {
      this.#isOrdered = true;
      if (this.#isDone) return reportLeft();
      this.#leave(timesOfWorker(delay, this.#times));
      // Its second order: the primary's queues are empty.
      if (delay === 0) this.#close?.();
    });
  }

  /**
   * A signal that the app does not listen for.
   *
   * @param isLast the process is not to go on
   */
  onSignal(signal: EndingSignal, isLast: boolean): void {
    const isSecond = this.#signal !== undefined;
    if (isLast || isSecond || !asksToLeave(signal)) return this.#endBy(signal);
    this.#signal = signal;
    this.#leave(this.#times);
  }

  undo(): void {
    this.#stopWaiting?.();
  }

  #leave(times: LeavingTimes): void {
    if (this.#close !== undefined) return;
    // It may be done within the call.
    this.#close = () => undefined;
    this.#close = leave(times, () => {
      this.#isDone = true;
      if (this.#isOrdered) reportLeft();
      else if (this.#signal !== undefined) this.#endBy(this.#signal);
    });
  }

  /** The kernel keeps the signal from process 1 of a container, which ends with the status that a shell gives to one that it has ended. */
  #endBy(signal: EndingSignal): void {
    this.#end(signal);
    if (process.pid === 1 && this.#close !== undefined) process.exit(128 + NUMBERS[signal]);
  }
}
