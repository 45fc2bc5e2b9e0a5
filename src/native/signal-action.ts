import type { Libc } from './libc.js';
import type { SignalAction, SignalActions } from './platform.js';

/** More than struct sigaction of any system: 152 bytes with glibc and musl, 16 on macOS. */
const SIGACTION_ROOM = 256;

/** Offset of `sa_flags` in struct sigaction, and the numbers of two flags. */
export interface SignalLayout {
  readonly flagsAt: number;
  readonly restart: number;
  readonly resetHand: number;
  /** Flags that the C library adds by itself. */
  readonly added: number;
}

/** sigaction(2), with actions as bytes. We read and change only their flags. The one error is EINVAL. */
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
      // libuv sets SA_RESTART alone. Any other value means an unknown layout.
      if ((known & ~added) !== restart) return undefined;
      flags[0] = known | resetHand;
      return copy;
    },
  };
}
