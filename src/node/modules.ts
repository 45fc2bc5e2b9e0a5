import type { BoundHandle } from './net.js';

/**
 * Node's modules are loaded like this when they are needed, not imported. `net` costs every process milliseconds at its start. An
 * `import` of `fs` or `util` evaluates all of their exports, which loads streams and promises.
 */
export function fs(): typeof import('node:fs') {
  fsModule ??= process.getBuiltinModule('node:fs');
  return fsModule;
}

/** See {@link fs}. */
export function net(): NetModule {
  netModule ??= process.getBuiltinModule('node:net');
  return netModule;
}

/** A CommonJS module (lib/internal/modules/cjs/loader.js). */
export interface CommonModule extends NodeJS.Module {
  /** Runs the module's code, for require() and for import (lib/internal/modules/esm/translators.js). Test: hooks/files/compression. */
  _compile(...args: unknown[]): unknown;
}

/** The prototype of all CommonJS modules. */
export function modulePrototype(): CommonModule {
  return process.getBuiltinModule('node:module').Module.prototype as CommonModule;
}

/** lib/net.js exports it for lib/internal/cluster/shared_handle.js. A number is libuv's error. Test: hooks/before-bind. */
type NetModule = typeof import('node:net') & {
  readonly _createServerHandle?: (
    address: string | null,
    port: number,
    addressType: number,
    fd?: number,
    flags?: number,
  ) => BoundHandle | number;
};

/** See {@link fs}. */
export function http(): typeof import('node:http') {
  return process.getBuiltinModule('node:http');
}

/** Cached, as getBuiltinModule() makes a string each time: the name without its `node:`. */
let fsModule: typeof import('node:fs') | undefined;

let netModule: NetModule | undefined;

/** The loaded ones of Node's own modules (lib/internal/bootstrap/realm.js). Test: node/modules. */
export function moduleLoadList(): readonly string[] | undefined {
  return (process as { readonly moduleLoadList?: readonly string[] }).moduleLoadList;
}

/** The entry of `net` in {@link moduleLoadList}. */
export const NET_MODULE = 'NativeModule net';

/** Whether `net` is loaded; true where Node has no such list. */
export function isNetLoaded(): boolean {
  return moduleLoadList()?.includes(NET_MODULE) ?? true;
}
