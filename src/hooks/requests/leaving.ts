import { debug } from '../../diagnostics.js';
import { isInForeground } from '../../native/terminal.js';
import { setTimeout } from '../../node/clock.js';
import { closeServers, hasServers, isListening, noteLeaving } from './drain.js';
import type { EndingSignal } from './unheard-signal.js';

const { signals: NUMBERS } = process.getBuiltinModule('node:os').constants;

/** Longer than any process lives. */
const LONG_MS = 2 ** 31 - 1;

/**
 * Take leave of all clients: go on accepting for some time, close every server, and finish their connections.
 *
 * @param delay milliseconds for which to go on accepting
 * @param then called when all connections are gone, or cut. The process does not end before by itself.
 */
export function leave(delay: number, then: () => void): void {
  noteLeaving();
  if (!hasServers()) return then();
  // An empty event loop would end the process, and not by the signal.
  const hold = setTimeout(() => undefined, LONG_MS);
  debug('leaving in %d ms', delay);
  setTimeout(
    () =>
      closeServers(() => {
        clearTimeout(hold);
        then();
      }),
    isListening() ? delay : 0,
  );
}

/** Whether a signal asks a server to end when it is done. Somebody at a terminal who presses Ctrl+C waits for the end. */
export function asksToLeave(signal: EndingSignal): boolean {
  return signal === 'SIGTERM' || (signal === 'SIGINT' && !isInForeground());
}

/** End process 1 of a container, from which the kernel keeps the signal, with the status that a shell gives to one that it has ended. */
export function exitAs(signal: EndingSignal): void {
  if (process.pid === 1) process.exit(128 + NUMBERS[signal]);
}
