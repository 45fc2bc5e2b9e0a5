import { defineProperty } from '../own-properties.js';
import { type SignalListener, signalListener } from '../signals.js';
import { standBefore } from './listeners.js';
import type { Undo } from './replace.js';

/**
 * Stand around one of Node's own listeners by which the process begins and ends to listen for signals.
 *
 * @returns an undo; undefined where it has none
 */
export function aroundSignalListener(
  event: 'newListener' | 'removeListener',
  around: (next: () => void, event: string) => void,
): Undo | undefined {
  return standBefore<[string]>(process, event, signalListener(event), around);
}

/**
 * Have Node listen for a signal without a listener (lib/internal/process/signal.js `startListeningIfSignal`): it binds
 * `process.emit` to the signal in this moment, which is `receive` for as long.
 *
 * @returns whether that was so: where there was a listener already, it was not
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
