import { defineProperty } from '../own-properties.js';
import { standsFor } from '../own-source.js';

export type Undo = () => void;

export type Method = (this: never, ...args: never[]) => unknown;

/** Outside this folder, the properties of Node's objects are readonly to the compiler. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function mutable<T extends object>(object: T): Mutable<T> {
  return object;
}

/** Give a replacement the name of the original, and its number of parameters. */
export function looksLike(replacement: Function, original: Function): void {
  for (const property of ['name', 'length'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(original, property);
    if (descriptor !== undefined) defineProperty(replacement, property, descriptor);
  }
}

/**
 * Replace a method of one of Node's objects.
 *
 * @param make returns the replacement of the original
 * @returns an undo, from which on only the original runs. It restores the property, unless somebody else has replaced the method
 *   since. Then our replacement stays in place, and passes every call on to the original.
 * @throws TypeError if there is no such method
 */
export function replaceMethod<F extends Method>(object: object, name: string, make: (original: F) => F): Undo {
  const holder = object as Record<string, F>;
  const own = Object.getOwnPropertyDescriptor(object, name);
  const original = holder[name];
  if (typeof original !== 'function') throw new TypeError(`${name} is not a method`);
  let current: Function = make(original);
  const replacement = function (this: unknown): unknown {
    // biome-ignore lint/complexity/noArguments: V8 passes them on without an array
    return current.apply(this, arguments);
  };
  looksLike(replacement, original);
  standsFor(replacement, original);
  const attributes = own ?? { writable: true, enumerable: true, configurable: true };
  defineProperty(object, name, { ...attributes, value: replacement });
  return () => {
    current = original;
    // Frozen by the app meanwhile: the replacement passes every call on.
    const isFixed = Object.getOwnPropertyDescriptor(object, name)?.configurable === false;
    if (isFixed || (holder[name] as Function) !== replacement) return;
    if (own === undefined) delete holder[name];
    else defineProperty(object, name, own);
  };
}

/** One undo for several. The last is undone first. */
export function undoAll(undos: readonly Undo[]): Undo {
  return () => {
    for (const undo of undos.toReversed()) undo();
  };
}

/**
 * Put several patches in place, in this order, or none of them.
 *
 * @returns one undo for all; undefined if one of them cannot be put in place
 */
export function allOrNone(patches: readonly (() => Undo | undefined)[]): Undo | undefined {
  const undos: Undo[] = [];
  const undo = (): void => undoAll(undos)();
  for (const patch of patches) {
    const one = patch();
    if (one === undefined) {
      undo();
      return undefined;
    }
    undos.push(one);
  }
  return undo;
}

/** Replace the value of a property, if it is the expected one. */
export function exchange(object: object, name: string, from: unknown, to: unknown): void {
  const own = Object.getOwnPropertyDescriptor(object, name);
  if (own?.value === from) defineProperty(object, name, { ...own, value: to });
}
