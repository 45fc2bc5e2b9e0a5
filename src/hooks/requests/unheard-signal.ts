import type { SignalAction, SignalActions } from '../../native/platform.js';
import { replaceMethod, type Undo } from '../../node/patch/replace.js';
import { aroundSignalListener, listenUnseen } from '../../node/patch/signals.js';
import { signalListener } from '../../node/signals.js';

/** The signals that servers are told to end by, and that end a process that does not listen for them. */
const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export type EndingSignal = (typeof ENDING_SIGNALS)[number];

/** A signal for which Node listens by order of ours. */
interface Armed {
  /** What the kernel did before. */
  readonly before: SignalAction;
  /** What libuv has it do. */
  readonly caught: SignalAction;
}

export interface SignalWatch {
  /**
   * End the process by a signal, and call `last` ahead of that. From now on every signal acts as without us, so a second one ends the
   * process at once. Returns only where the kernel ignores the signal, as it does for process 1 of a container.
   */
  endBy(signal: EndingSignal, last: () => void): void;
  readonly undo: Undo;
}

type Kill = typeof process.kill;

const { signals: NUMBERS } = process.getBuiltinModule('node:os').constants;

function endingSignal(signal: unknown): EndingSignal | undefined {
  return ENDING_SIGNALS.find((name) => name === signal || NUMBERS[name] === signal);
}

/** Nobody but us listens, or has listened since we began. */
function isUnheard(signal: EndingSignal): boolean {
  return process.listenerCount(signal) === 0;
}

/**
 * The process sends a signal to itself: stock Node does not come back from that call, so it cannot wait for the event loop.
 *
 * @param isCaught answers whether it has dealt with the signal
 */
function catchOwnKill(isCaught: (signal: EndingSignal) => boolean): Undo {
  return replaceMethod<Kill>(
    process,
    'kill',
    (original) =>
      function (this: typeof process, ...args) {
        const [pid, name = 'SIGTERM'] = args;
        const signal = pid === process.pid ? endingSignal(name) : undefined;
        return signal !== undefined && isCaught(signal) ? true : original.apply(this, args);
      },
  );
}

/**
 * Have `onSignal` called on a signal that would end the process. It is not called where the app listens for the signal. The app sees no
 * listener of ours, and may add and remove its own at any time.
 *
 * Node's own code starts to listen, without a listener, and delivers the signal to a function of ours in place of `process.emit`. That
 * function passes it on where the app has listeners by then. When the last of these has gone, Node stops, and starts again for us.
 *
 * @returns undefined in worker threads, where no signals come, and where Node's code is not what we know
 */
export function watchUnheardSignals(
  actions: SignalActions,
  onSignal: (signal: EndingSignal) => void,
): SignalWatch | undefined {
  const start = signalListener('newListener');
  const stop = signalListener('removeListener');
  if (start === undefined || stop === undefined) return undefined;
  const armed = new Map<EndingSignal, Armed>();
  /** `process.emit` as it was when the app's first listener came: Node would have delivered the signal to that. */
  const emits = new Map<EndingSignal, typeof process.emit>();
  let isUndone = false;

  const receive = (signal: EndingSignal, args: readonly unknown[]): void => {
    if (isUndone || !isUnheard(signal)) Reflect.apply(emits.get(signal) ?? process.emit, process, args);
    else onSignal(signal);
  };

  const arm = (signal: EndingSignal): void => {
    const before = actions.current(NUMBERS[signal]);
    if (before === undefined || !isUnheard(signal)) return;
    if (!listenUnseen(start, signal, (...args) => receive(signal, args))) return;
    const caught = actions.current(NUMBERS[signal]);
    if (caught === undefined) return stop(signal);
    armed.set(signal, { before, caught });
    // What a busy loop does not come to deliver must not keep the process alive: the second signal ends it.
    const once = actions.once(caught);
    if (once !== undefined) actions.set(NUMBERS[signal], once);
  };

  const undoNew = aroundSignalListener('newListener', (next, event) => {
    next();
    const signal = endingSignal(event);
    const known = signal && armed.get(signal);
    if (signal === undefined || known === undefined || !isUnheard(signal)) return;
    emits.set(signal, process.emit);
    // As Node would have set it now. `vm` with `breakOnSigint` may have put in an action of its own.
    actions.set(NUMBERS[signal], known.caught);
  });
  const undoRemove = aroundSignalListener('removeListener', (next, event) => {
    next();
    const signal = endingSignal(event);
    if (signal === undefined || !isUnheard(signal)) return;
    armed.delete(signal);
    emits.delete(signal);
    arm(signal);
  });

  const kill = process.kill.bind(process);
  const undoKill = catchOwnKill((signal) => {
    if (isUndone || !armed.has(signal) || !isUnheard(signal)) return false;
    onSignal(signal);
    return true;
  });

  const undo = (): void => {
    isUndone = true;
    undoNew?.();
    undoRemove?.();
    undoKill();
    for (const [signal, { before }] of armed) {
      if (!isUnheard(signal)) continue;
      stop(signal);
      actions.set(NUMBERS[signal], before);
    }
    armed.clear();
  };

  for (const signal of ENDING_SIGNALS) arm(signal);
  return {
    endBy(signal, last) {
      undo();
      try {
        last();
      } finally {
        kill(process.pid, signal);
      }
    },
    undo,
  };
}
