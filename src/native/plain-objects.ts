import { defineProperty } from '../node/own-properties.js';

/** Attributes of a descriptor. One that descriptors inherit contradicts those that they have, whether it is enumerable or not. */
const ATTRIBUTES: ReadonlySet<string> = new Set(['get', 'set', 'value', 'writable']);

/** Keep one property from whoever makes objects. Returns what restores it. */
function hide(prototype: object, name: string): (() => void) | undefined {
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  // Where it cannot be taken away, it stays: what is loaded may still be able to live with it.
  if (own?.configurable !== true) return undefined;
  const isAttribute = ATTRIBUTES.has(name);
  if (!isAttribute && !own.enumerable) return undefined;
  if (isAttribute) Reflect.deleteProperty(prototype, name);
  else defineProperty(prototype, name, { ...own, enumerable: false });
  return () => defineProperty(prototype, name, own);
}

/**
 * Call `act`, which must be done when it returns, while objects inherit nothing that somebody has put on Object.prototype: the
 * loaders of some packages take inherited properties for their own, and fail.
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
