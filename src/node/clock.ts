/** What Node has of time and turns of the event loop. */
interface Clock {
  readonly setImmediate: typeof globalThis.setImmediate;
  readonly setTimeout: typeof globalThis.setTimeout;
  readonly nextTick: typeof process.nextTick;
  readonly now: () => number;
}

/**
 * Where they are kept. Channels are one registry a thread: the preload takes them, ahead of an app whose tests replace them by a clock that
 * stands still, and the runtime, which has a copy of this file, finds them there.
 */
const CLOCK = Symbol.for('socket-tune:clock');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(CLOCK);

function isClock(value: unknown): value is Clock {
  return typeof value === 'object' && value !== null && 'setImmediate' in value;
}

/** Take what there is now, unless that was done before in this thread. */
export function takeClock(): Clock {
  const known: unknown = Reflect.get(registry, CLOCK);
  if (isClock(known)) return known;
  const timers = process.getBuiltinModule('node:timers');
  const taken: Clock = {
    setImmediate: timers.setImmediate,
    setTimeout: timers.setTimeout,
    nextTick: process.nextTick.bind(process),
    now: Date.now,
  };
  Reflect.set(registry, CLOCK, taken);
  return taken;
}

/** As Node has them. What hangs on them here must go on whatever an app's tests replace, as Node's own code does. */
const clock = takeClock();
export const { setImmediate, setTimeout, nextTick, now } = clock;

/**
 * Call back as the thread pool would, had it been asked: what is answered without it must not come sooner than it could. A
 * completion of the pool comes in a later poll phase, behind all microtasks, ticks and immediates queued meanwhile. One
 * immediate would come before others of the same phase; the second comes after them all.
 */
export function poolTurn(callback: () => void): void {
  setImmediate(setImmediate, callback);
}
