import { looksLike, type Undo } from './replace.js';

/**
 * Put a listener of an event in the place of another (lib/events.js `_events`): 'newListener' tells nobody of it.
 *
 * @returns whether the other was there
 */
function swapListener(emitter: object, event: string, from: Function, to: Function): boolean {
  const { _events: events } = emitter as { _events?: Record<string, unknown> };
  const listeners = events?.[event];
  if (events === undefined) return false;
  if (listeners === from) events[event] = to;
  else if (Array.isArray(listeners) && listeners.includes(from)) listeners[listeners.indexOf(from)] = to;
  else return false;
  return true;
}

/**
 * Put a listener in the place of one of Node's own.
 *
 * @param around gets what the original would, and `next`, which calls the original
 * @returns an undo, from which on only the original runs; undefined where the original is not among the listeners
 */
export function standBefore<A extends unknown[]>(
  emitter: NodeJS.EventEmitter,
  event: string,
  original: Function | undefined,
  around: (next: () => void, ...args: A) => void,
): Undo | undefined {
  if (original === undefined) return undefined;
  let current: Function = function (this: unknown, ...args: A): void {
    around(() => Reflect.apply(original, this, args), ...args);
  };
  const listener = function (this: unknown, ...args: A): void {
    Reflect.apply(current, this, args);
  };
  looksLike(listener, original);
  if (!swapListener(emitter, event, original, listener)) return undefined;
  return () => {
    current = original;
    swapListener(emitter, event, listener, original);
  };
}
