import { defineProperty } from '../own-properties.js';
import { isNodesOwn } from '../own-source.js';
import { standBefore } from './listeners.js';
import type { Undo } from './replace.js';

/** Starts, or stops, to listen for a signal, if `event` is one (lib/internal/process/signal.js). */
export type SignalListener = (event: string) => void;

/** The events of the process at which Node does so, and its listeners. */
const SIGNAL_LISTENERS = { newListener: 'startListeningIfSignal', removeListener: 'stopListeningIfSignal' } as const;

/** Node's own listener of one of these events; undefined in worker threads, which get no signals. Test: register/signals. */
export function signalListener(event: keyof typeof SIGNAL_LISTENERS): SignalListener | undefined {
  const listener = process.rawListeners(event).find((one) => isNodesOwn(one, SIGNAL_LISTENERS[event]));
  return listener as SignalListener | undefined;
}

/**
 * Stand before one of Node's own listeners, by which the process starts and stops to listen for signals.
 *
 * @returns an undo; undefined in worker threads, which have no such listener
 */
export function aroundSignalListener(
  event: 'newListener' | 'removeListener',
  around: (next: () => void, event: string) => void,
): Undo | undefined {
  return standBefore<[string]>(process, event, signalListener(event), around);
}

/**
 * Have Node listen for a signal without a listener. Node binds the signal to the `process.emit` of this moment, which is `receive`
 * (lib/internal/process/signal.js `startListeningIfSignal`).
 *
 * @returns false where Node listens for the signal already, and so has bound nothing
 */
export function listenUnseen(start: SignalListener, signal: string, receive: (...args: unknown[]) => unknown): boolean {
  const own = Object.getOwnPropertyDescriptor(process, 'emit');
  let isTaken = false;
  const get = (): unknown => {
    isTaken = true;
    return receive;
  };
  defineProperty(process, 'emit', { configurable: true, enumerable: own?.enumerable ?? false, get });
  try {
    start(signal);
  } finally {
    if (own === undefined) Reflect.deleteProperty(process, 'emit');
    else defineProperty(process, 'emit', own);
  }
  return isTaken;
}
