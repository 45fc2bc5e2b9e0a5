/** Node's timers, and its turns of the event loop. */
interface Clock {
  readonly setImmediate: typeof globalThis.setImmediate;
  readonly setTimeout: typeof globalThis.setTimeout;
  readonly clearTimeout: typeof globalThis.clearTimeout;
  readonly nextTick: typeof process.nextTick;
  readonly now: () => number;
  readonly hrtime: () => readonly [seconds: number, nanoseconds: number];
  /** Ways of {@link poolTurn}; the last one counts. */
  readonly poolTurns: PoolTurn[];
}

/**
 * Calls back as the thread pool does.
 *
 * @param onlySettles the callback settles a promise, and nothing else: it has no async context of its own, and throws nothing
 */
export type PoolTurn = (callback: () => void, onlySettles?: boolean) => void;

/**
 * A channel holds them, as channels are one registry a thread. The preload captures them before an app can fake them. The runtime,
 * which has a copy of this file, finds them there.
 */
const CLOCK = Symbol.for('socket-tune:clock');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(CLOCK);

function isClock(value: unknown): value is Clock {
  return typeof value === 'object' && value !== null && 'setImmediate' in value;
}

/** Capture the timers of this moment, unless this thread has captured them before. */
export function takeClock(): Clock {
  const known: unknown = Reflect.get(registry, CLOCK);
  if (isClock(known)) return known;
  const timers = process.getBuiltinModule('node:timers');
  const taken: Clock = {
    setImmediate: timers.setImmediate,
    setTimeout: timers.setTimeout,
    clearTimeout: timers.clearTimeout,
    nextTick: process.nextTick.bind(process),
    now: Date.now,
    hrtime: process.hrtime,
    poolTurns: [afterImmediates],
  };
  Reflect.set(registry, CLOCK, taken);
  return taken;
}

/** Timers captured at load, so fake timers cannot stall us. */
const clock = takeClock();
export const { setImmediate, setTimeout, clearTimeout, nextTick, now } = clock;

/** One immediate would come before others of the same phase; the second comes after them all. */
function afterImmediates(callback: () => void): void {
  setImmediate(setImmediate, callback);
}

/**
 * Call back no sooner than the thread pool could, for an answer that did not need it. A completion of the pool comes in a later poll
 * phase: after all microtasks, ticks and immediates that are queued meanwhile.
 */
export function poolTurn(callback: () => void, onlySettles = false): void {
  clock.poolTurns.at(-1)?.(callback, onlySettles);
}

/** Have {@link poolTurn}, in all copies of this file, do it in another way, until that is undone. */
export function replacePoolTurn(later: PoolTurn): () => void {
  clock.poolTurns.push(later);
  return () => {
    const place = clock.poolTurns.indexOf(later);
    if (place >= 0) clock.poolTurns.splice(place, 1);
  };
}

/**
 * Milliseconds on a clock that no change of the wall clock moves. `process.uptime()` costs twice as much, as it sets the event loop's time
 * too (src/node_process_methods.cc `Uptime`).
 */
export function monotonic(): number {
  const [seconds, nanoseconds] = clock.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
