import { defineProperty } from '../own-properties.js';
import { standsFor } from '../own-source.js';

export type Undo = () => void;

type Method = (this: never, ...args: never[]) => unknown;

/** Elsewhere the properties of Node's objects are readonly to the compiler. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function mutable<T extends object>(object: T): Mutable<T> {
  return object;
}

/** A name and a number of parameters as those of what is replaced. */
export function looksLike(replacement: Function, original: Function): void {
  for (const property of ['name', 'length'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(original, property);
    if (descriptor !== undefined) defineProperty(replacement, property, descriptor);
  }
}

/**
 * Replace a method of one of Node's objects.
 *
 * @param make is given the original and answers with the replacement
 * @returns an undo. It restores what was there, unless somebody else has replaced the method since: then it can only be left
 *   in place, and `onOutlived` is called, so that it passes everything on to the original.
 */
export function replaceMethod<F extends Method>(
  object: object,
  name: string,
  make: (original: F) => F,
  onOutlived?: () => void,
): Undo {
  const holder = object as Record<string, F>;
  const own = Object.getOwnPropertyDescriptor(object, name);
  const original = holder[name];
  if (typeof original !== 'function') throw new TypeError(`${name} is not a method`);
  const replacement = make(original);
  looksLike(replacement, original);
  standsFor(replacement, original);
  const attributes = own ?? { writable: true, enumerable: true, configurable: true };
  defineProperty(object, name, { ...attributes, value: replacement });
  return () => {
    if (holder[name] !== replacement) onOutlived?.();
    else if (own === undefined) delete holder[name];
    else defineProperty(object, name, own);
  };
}

/** Put a value in the place of another, if that is there. */
export function exchange(object: object, name: string, from: unknown, to: unknown): void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  if (own?.value === from) defineProperty(object, name, { ...own, value: to });
}
