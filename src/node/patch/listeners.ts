import { looksLike, type Undo } from './replace.js';

/**
 * Put one listener of an event in the place of another (lib/events.js `_events`), which tells nobody of a listener.
 *
 * @returns whether it was there
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

/** Put a listener in the place of one of Node's own, so that nobody hears of one that is new. */
export function standBefore<A extends unknown[]>(
  emitter: NodeJS.EventEmitter,
  event: string,
  original: Function | undefined,
  around: (next: () => void, ...args: A) => void,
): Undo | undefined {
  if (original === undefined) return undefined;
  const listener = function (this: unknown, ...args: A): void {
    around(() => Reflect.apply(original, this, args), ...args);
  };
  looksLike(listener, original);
  if (!swapListener(emitter, event, original, listener)) return undefined;
  return () => {
    swapListener(emitter, event, listener, original);
  };
}
