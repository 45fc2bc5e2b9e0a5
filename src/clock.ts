/**
 * Time and turns of the event loop as Node has them, taken before an app's tests replace them by a clock that stands still. What
 * hangs on them here must go on all the same, as Node's own code does.
 */
export const { setImmediate, setTimeout } = process.getBuiltinModule('node:timers');

export const nextTick = process.nextTick.bind(process);

/** Milliseconds, of the wall clock. */
export const { now } = Date;
