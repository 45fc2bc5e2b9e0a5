import { isNodesOwn } from './own-source.js';

/** Starts, or stops, to listen for a signal, if `event` is one (lib/internal/process/signal.js). */
export type SignalListener = (event: string) => void;

/** The events of the process at which Node does so, and its listeners. */
const SIGNAL_LISTENERS = { newListener: 'startListeningIfSignal', removeListener: 'stopListeningIfSignal' } as const;

/** Node's own listener of one of these events; undefined in worker threads, which get no signals. Test: register/signals. */
export function signalListener(event: keyof typeof SIGNAL_LISTENERS): SignalListener | undefined {
  const listener = process.rawListeners(event).find((one) => isNodesOwn(one, SIGNAL_LISTENERS[event]));
  return listener as SignalListener | undefined;
}
