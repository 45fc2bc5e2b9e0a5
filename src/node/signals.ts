import { isNodesOwn } from './own-source.js';

/** Begins, or ends, to listen for a signal, if `event` is one (lib/internal/process/signal.js). */
export type SignalListener = (event: string) => void;

/** The events of the process by which Node does so, and what it has among their listeners. */
const SIGNAL_LISTENERS = { newListener: 'startListeningIfSignal', removeListener: 'stopListeningIfSignal' } as const;

/** See {@link SIGNAL_LISTENERS}. Undefined in worker threads, where nobody hears of signals. Test: register/signals. */
export function signalListener(event: keyof typeof SIGNAL_LISTENERS): SignalListener | undefined {
  const listener = process.rawListeners(event).find((one) => isNodesOwn(one, SIGNAL_LISTENERS[event]));
  return listener as SignalListener | undefined;
}
