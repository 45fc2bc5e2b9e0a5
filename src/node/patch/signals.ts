import { defineProperty } from '../own-properties.js';
import { type SignalListener, signalListener } from '../signals.js';
import { standBefore } from './listeners.js';
import type { Undo } from './replace.js';

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
