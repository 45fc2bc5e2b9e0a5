import { defineProperty } from '../own-properties.js';
import { looksLike } from './replace.js';

/**
 * Call `before` whenever undici asks whether a connection is destroyed, before it is answered (lib/dispatcher/client-h1.js `connectH1`).
 * There is no undo: the object goes with its connection.
 *
 * @param context what a client keeps of its connection
 */
export function beforeDestroyed(context: object, before: () => void): void {
  const own = Object.getOwnPropertyDescriptor(context, 'destroyed');
  const original = own?.get;
  if (original === undefined || own?.configurable !== true) return;
  const get = function (this: unknown): unknown {
    before();
    return original.call(this);
  };
  looksLike(get, original);
  defineProperty(context, 'destroyed', { ...own, get });
}
