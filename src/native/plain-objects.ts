import { defineProperty } from '../node/own-properties.js';

/** Attributes of a property descriptor. An inherited one conflicts with own ones, enumerable or not. */
const ATTRIBUTES: ReadonlySet<string> = new Set(['get', 'set', 'value', 'writable']);

/** Hide one property from new objects. Returns a function that restores it. */
function hide(prototype: object, name: string): (() => void) | undefined {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  // It cannot be hidden, so it stays. The loader may still work.
  if (own?.configurable !== true) return undefined;
  const isAttribute = ATTRIBUTES.has(name);
  if (!isAttribute && !own.enumerable) return undefined;
  if (isAttribute) Reflect.deleteProperty(prototype, name);
  else defineProperty(prototype, name, { ...own, enumerable: false });
  return () => defineProperty(prototype, name, own);
}

/**
 * Call `act` while properties that were added to Object.prototype are hidden. The loaders of some packages fail on inherited properties.
 * `act` must be synchronous.
 */
export function withPlainObjects<T>(act: () => T): T {
  const { prototype } = Object;
  const restores = Object.getOwnPropertyNames(prototype).map((name) => hide(prototype, name));
  try {
    return act();
  } finally {
    for (const restore of restores) restore?.();
  }
}

/**
 * Call `act` while `process.stderr` does not show. Node makes that stream when it is first asked for, and from then on the app sees a handle more.
 * A loader that copies all of `util` has Node 22 ask whether it takes colours (lib/internal/util/colors.js). `act` must be synchronous.
 */
export function withoutStderr<T>(act: () => T): T {
  const own = Object.getOwnPropertyDescriptor(process, 'stderr');
  if (own?.get === undefined || own.configurable !== true) return act();
  defineProperty(process, 'stderr', { ...own, get: () => undefined });
  try {
    return act();
  } finally {
    defineProperty(process, 'stderr', own);
  }
}
