import type { Libc } from './libc.js';
import type { SignalAction, SignalActions } from './platform.js';

/** Larger than struct sigaction of any system: 152 bytes with glibc and musl, 16 on macOS. */
const SIGACTION_ROOM = 256;

/** Where `sa_flags` of struct sigaction is, and the numbers of two flags. */
export interface SignalLayout {
  readonly flagsAt: number;
  readonly restart: number;
  readonly resetHand: number;
  /** Flags that the C library adds by itself. */
  readonly added: number;
}

/** sigaction(2). An action is read, kept and put back as bytes; only its flags are looked at. */
export function signalActions(libc: Libc, { flagsAt, restart, resetHand, added }: SignalLayout): SignalActions {
  type Call = (signal: number, action: SignalAction | null, old: SignalAction | null) => number;
  let call: Call | undefined;
  const sigaction: Call = (...args) => {
    call ??= libc.bind<Call>('int sigaction(int signal, const void *action, void *old)');
    return call(...args);
  };
  return {
    current(signal) {
      const action = new Uint8Array(SIGACTION_ROOM);
      return sigaction(signal, null, action) === 0 ? action : undefined;
    },
    set: (signal, action) => sigaction(signal, action, null) === 0,
    once(action) {
      const copy = action.slice();
      const flags = new Int32Array(copy.buffer, flagsAt, 1);
      const [known = 0] = flags;
      // What libuv sets is SA_RESTART alone. Anything else is a layout that we do not know.
      if ((known & ~added) !== restart) return undefined;
      flags[0] = known | resetHand;
      return copy;
    },
  };
}
