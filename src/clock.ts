/**
 * Time and turns of the event loop as Node has them, taken before an app's tests replace them by a clock that stands still. What
 * hangs on them here must go on all the same, as Node's own code does.
 */
export const { setImmediate, setTimeout } = process.getBuiltinModule('node:timers');

export const nextTick = process.nextTick.bind(process);

/**
 * Call back as the thread pool would, had it been asked: what is answered without it must not come sooner than it could. A
 * completion of the pool comes in a later poll phase, behind all microtasks, ticks and immediates queued meanwhile. One
 * immediate would come before others of the same phase; the second comes after them all.
 */
export function poolTurn(callback: () => void): void {
  setImmediate(setImmediate, callback);
}

/** Milliseconds, of the wall clock. */
export const { now } = Date;
