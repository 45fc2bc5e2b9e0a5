import type { SignalAction, SignalActions } from '../../native/platform.js';
import { replaceMethod, type Undo, undoAll } from '../../node/patch/replace.js';
import { aroundSignalListener, listenUnseen, type SignalListener, signalListener } from '../../node/patch/signals.js';

/** Signals that ask a server to end. They end a process that does not listen for them. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** A signal for which we have Node listen. */
interface Armed {
  /** The kernel's action before. */
  readonly before: SignalAction;
  /** The action that libuv has set. */
  readonly caught: SignalAction;
}

export interface SignalWatch {
  /**
   * Call `last`, and end the process by a signal. The watch ends first, so a second signal ends the process at once. Returns only where
   * the kernel ignores the signal, as for process 1 of a container.
   */
  endBy(signal: EndingSignal, last: () => void): void;
  readonly undo: Undo;
}

/** @param isLast the process is not to go on: it has sent the signal to itself, or the app has had one before */
type OnSignal = (signal: EndingSignal, isLast: boolean) => void;

type Kill = typeof process.kill;

const { signals: NUMBERS } = process.getBuiltinModule('node:os').constants;

function endingSignal(signal: unknown): EndingSignal | undefined {
  return ENDING_SIGNALS.find((name) => name === signal || NUMBERS[name] === signal);
}

/** The app does not listen. */
function isUnheard(signal: EndingSignal): boolean {
  return process.listenerCount(signal) === 0;
}

/** Whether a signal reaches this process: by its number, in whatever form Node takes it, or as one of its group. */
function isOwnProcess(pid: unknown): boolean {
  const isNumber = typeof pid === 'number' || (typeof pid === 'string' && pid.trim() !== '');
  return isNumber && (Number(pid) === process.pid || Number(pid) === 0);
}

/**
 * Watch for signals that the process sends to itself. Stock Node ends within that call, so the signal cannot wait for the event loop.
 *
 * @param isCaught whether it has handled the signal
 */
function catchOwnKill(isCaught: (signal: EndingSignal) => boolean): Undo {
  return replaceMethod<Kill>(
    process,
    'kill',
    (original) =>
      function (this: typeof process, ...args) {
        const [pid, name = 'SIGTERM'] = args;
        const signal = isOwnProcess(pid) ? endingSignal(name) : undefined;
        if (signal === undefined) return original.apply(this, args);
        // All others of the group first.
        const isSent = Number(pid) === 0 && original.apply(this, args);
        return isCaught(signal) || isSent || original.apply(this, args);
      },
  );
}

/** The state of {@link watchUnheardSignals}. */
class UnheardSignals {
  readonly #actions: SignalActions;
  readonly #start: SignalListener;
  readonly #stop: SignalListener;
  readonly #onSignal: OnSignal;
  readonly #armed = new Map<EndingSignal, Armed>();
  /** `process.emit` when the app's first listener came: Node would have bound the signal to it. */
  readonly #emits = new Map<EndingSignal, typeof process.emit>();
  /** Signals that the app has had. Its listener is gone, by `once` or otherwise, so the next one ends the process, as in stock Node. */
  readonly #heard = new Set<EndingSignal>();
  readonly #undo: Undo;
  #isWatching = true;

  constructor(actions: SignalActions, start: SignalListener, stop: SignalListener, onSignal: OnSignal) {
    this.#actions = actions;
    this.#start = start;
    this.#stop = stop;
    this.#onSignal = onSignal;
    const patches = [
      aroundSignalListener('newListener', (next, event) => {
        next();
        this.#onListenerAdded(endingSignal(event));
      }),
      aroundSignalListener('removeListener', (next, event) => {
        next();
        this.#onListenerRemoved(endingSignal(event));
      }),
      catchOwnKill((signal) => this.#catch(signal)),
    ];
    this.#undo = undoAll(patches.filter((undo) => undo !== undefined));
    for (const signal of ENDING_SIGNALS) this.#arm(signal);
  }

  #arm(signal: EndingSignal): void {
    const actions = this.#actions;
    const before = actions.current(NUMBERS[signal]);
    if (before === undefined || !isUnheard(signal)) return;
    if (!listenUnseen(this.#start, signal, (...args) => this.#receive(signal, args))) return;
    const caught = actions.current(NUMBERS[signal]);
    if (caught === undefined) return this.#stop(signal);
    this.#armed.set(signal, { before, caught });
    // The kernel keeps its default action from process 1, so this one must hear the second signal, too.
    if (process.pid === 1) return;
    // A busy event loop does not deliver the first signal: the second must end the process.
    const once = actions.once(caught);
    if (once !== undefined) actions.set(NUMBERS[signal], once);
  }

  /** The signal is here: the app's, if it listens by now. */
  #receive(signal: EndingSignal, args: readonly unknown[]): void {
    // Node may deliver a signal after the undo that came before it.
    if (this.#isWatching && isUnheard(signal)) return this.#onSignal(signal, this.#heard.has(signal));
    this.#heard.add(signal);
    Reflect.apply(this.#emits.get(signal) ?? process.emit, process, args);
  }

  #catch(signal: EndingSignal): boolean {
    if (!this.#armed.has(signal) || !isUnheard(signal)) return false;
    this.#onSignal(signal, true);
    return true;
  }

  #onListenerAdded(signal: EndingSignal | undefined): void {
    const armed = signal && this.#armed.get(signal);
    if (signal === undefined || armed === undefined || !isUnheard(signal)) return;
    this.#emits.set(signal, process.emit);
    // As Node would set it now, for every signal. `vm` with `breakOnSigint` may have set an action of its own.
    this.#actions.set(NUMBERS[signal], armed.caught);
  }

  #onListenerRemoved(signal: EndingSignal | undefined): void {
    if (signal === undefined || !isUnheard(signal)) return;
    this.#armed.delete(signal);
    this.#emits.delete(signal);
    this.#arm(signal);
  }

  undo(): void {
    this.#isWatching = false;
    this.#undo();
    for (const [signal, { before }] of this.#armed) {
      if (!isUnheard(signal)) continue;
      this.#stop(signal);
      this.#actions.set(NUMBERS[signal], before);
    }
    this.#armed.clear();
  }
}

/**
 * Call `onSignal` on a signal that would end the process. A signal for which the app listens is the app's alone. The app sees no
 * listener of ours, and may add and remove its own at any time.
 *
 * Node's own code is made to listen without a listener. It delivers the signal to a function of ours in place of `process.emit`, which
 * passes it on if the app listens by then. When the app's last listener is removed, Node stops to listen, and is made to start again.
 *
 * @returns undefined in worker threads, which get no signals, and where Node's code is not what we know
 */
export function watchUnheardSignals(actions: SignalActions, onSignal: OnSignal): SignalWatch | undefined {
  const start = signalListener('newListener');
  const stop = signalListener('removeListener');
  if (start === undefined || stop === undefined) return undefined;
  const kill = process.kill.bind(process);
  const signals = new UnheardSignals(actions, start, stop, onSignal);
  const undo = (): void => signals.undo();
  return {
    endBy(signal, last) {
      undo();
      try {
        last();
      } finally {
        // A listener that the app has added since would get the signal in our place. In stock Node the process would be over.
        process.removeAllListeners(signal);
        kill(process.pid, signal);
      }
    },
    undo,
  };
}
