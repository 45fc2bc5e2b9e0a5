import { constants } from 'node:os';

export const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type EndingSignal = (typeof SIGNALS)[number];

/**
 * End this process as the signal would have, through 'exit', which stops servers and removes files.
 */
export function endBy(signal: EndingSignal): never {
  process.once('exit', () => {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  process.exit(128 + constants.signals[signal]);
}

/** Run an action before a signal ends this process. */
export function onInterruption(act: (signal: EndingSignal) => void): void {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      try {
        act(signal);
      } finally {
        endBy(signal);
      }
    });
  }
}
