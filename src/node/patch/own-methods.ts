import type { HttpAgent } from '../http.js';
import { fs, http, https, net } from '../modules.js';
import type { NetServer, NetSocket, WriteGeneric } from '../net.js';
import { isNodesOwn } from '../own-source.js';
import type { FileReadStream } from '../streams.js';
import { allOrNone, type Method, replaceMethod, type Undo } from './replace.js';

/** Methods of Node's classes that hooks replace only if they are Node's own: own-source.ts knows them by their source. */
interface OwnMethods {
  readonly 'Agent.getName': HttpAgent['getName'];
  readonly 'HttpsAgent.getName': HttpAgent['getName'];
  readonly 'ReadStream._construct': FileReadStream['_construct'];
  readonly 'ReadStream._read': FileReadStream['_read'];
  readonly 'ReadStream._destroy': FileReadStream['_destroy'];
  readonly 'Server._listen2': NetServer['_listen2'];
  readonly 'Socket._read': NetSocket['_read'];
  readonly 'Socket._writeGeneric': WriteGeneric;
  readonly 'Socket._destroy': NetSocket['_destroy'];
  readonly 'Socket._unrefTimer': NetSocket['_unrefTimer'];
  readonly 'Socket._onTimeout': NetSocket['_onTimeout'];
}

type OwnMethod = keyof OwnMethods;

/** For each method, a function that makes the replacement from the original. */
export type Replacements = { readonly [M in OwnMethod]?: (original: OwnMethods[M]) => OwnMethods[M] };

/** Looked up when needed: a process that does without `net` must not load it. */
const PROTOTYPES: { readonly [name: string]: () => object } = {
  Agent: () => http().Agent.prototype,
  HttpsAgent: () => https().Agent.prototype,
  ReadStream: () => fs().ReadStream.prototype,
  Server: () => net().Server.prototype,
  Socket: () => net().Socket.prototype,
};

/**
 * Replace a method if it is Node's own.
 *
 * @returns an undo, see {@link replaceMethod}; undefined if somebody else has replaced the method, or Node's code is not what we know
 */
export function replaceOwn<M extends OwnMethod>(
  name: M,
  make: (original: OwnMethods[M]) => OwnMethods[M],
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
  const entries = Object.entries(replacements) as [OwnMethod, (original: Method) => Method][];
  return allOrNone(
    entries.map(
      ([name, make]) =>
        () =>
          replaceOwn<never>(name as never, make as never),
    ),
  );
}
