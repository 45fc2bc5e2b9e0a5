import { fs, net } from '../modules.js';
import type { NetServer, NetSocket, WriteGeneric } from '../net.js';
import { isNodesOwn } from '../own-source.js';
import type { FileReadStream } from '../streams.js';
import { allOrNone, type Method, replaceMethod, type Undo } from './replace.js';

/** Methods of Node's classes that hooks replace. What Node's own versions have in their source stands in own-source.ts. */
interface OwnMethods {
  readonly 'ReadStream._construct': FileReadStream['_construct'];
  readonly 'ReadStream._read': FileReadStream['_read'];
  readonly 'ReadStream._destroy': FileReadStream['_destroy'];
  readonly 'Server._listen2': NetServer['_listen2'];
  readonly 'Socket._writeGeneric': WriteGeneric;
  readonly 'Socket._destroy': NetSocket['_destroy'];
  readonly 'Socket._unrefTimer': NetSocket['_unrefTimer'];
}

type Name = keyof OwnMethods;

/** For each method what makes its replacement of the original. */
export type Replacements = { readonly [N in Name]?: (original: OwnMethods[N]) => OwnMethods[N] };

/** The classes are asked for late: `net` is not loaded into a process that does without. */
const PROTOTYPES: { readonly [name: string]: () => object } = {
  ReadStream: () => fs().ReadStream.prototype,
  Server: () => net().Server.prototype,
  Socket: () => net().Socket.prototype,
};

/**
 * Replace a method if it is Node's own.
 *
 * @returns an undo, see {@link replaceMethod}; undefined if somebody else has replaced it, or it is not what we know
 */
export function replaceOwn<N extends Name>(
  name: N,
  make: (original: OwnMethods[N]) => OwnMethods[N],
): Undo | undefined {
  const [className = '', method = ''] = name.split('.');
  const prototype = PROTOTYPES[className]?.() ?? {};
  return isNodesOwn(Reflect.get(prototype, method), name) ? replaceMethod(prototype, method, make) : undefined;
}

/**
 * Replace several methods if all of them are Node's own, or none.
 *
 * @returns as {@link replaceOwn}
 */
export function replaceAllOwn(replacements: Replacements): Undo | undefined {
  const entries = Object.entries(replacements) as [Name, (original: Method) => Method][];
  return allOrNone(
    entries.map(
      ([name, make]) =>
        () =>
          replaceOwn<never>(name as never, make as never),
    ),
  );
}
