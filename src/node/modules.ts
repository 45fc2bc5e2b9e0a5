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

/** See {@link fs}. */
export function http(): typeof import('node:http') {
  httpModule ??= process.getBuiltinModule('node:http');
  return httpModule;
}

/** See {@link fs}. */
export function https(): typeof import('node:https') {
  httpsModule ??= process.getBuiltinModule('node:https');
  return httpsModule;
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

/** Cached, as getBuiltinModule() makes a string each time: the name without its `node:`. */
let fsModule: typeof import('node:fs') | undefined;

let netModule: NetModule | undefined;

let httpModule: typeof import('node:http') | undefined;

let httpsModule: typeof import('node:https') | undefined;

/** The loaded ones of Node's own modules (lib/internal/bootstrap/realm.js). Test: node/modules. */
export function moduleLoadList(): readonly string[] | undefined {
  return (process as { readonly moduleLoadList?: readonly string[] }).moduleLoadList;
}

/** The entry of `net` in {@link moduleLoadList}. */
export const NET_MODULE = 'NativeModule net';

/** The same of the side of `cluster` that forks. */
export const PRIMARY_MODULE = 'NativeModule internal/cluster/primary';

/** Whether a module of Node's is loaded, by its entry in {@link moduleLoadList}; true where Node has no such list. */
export function isLoaded(entry: string): boolean {
  return moduleLoadList()?.includes(entry) ?? true;
}

/** Whether `net` is loaded; true where Node has no such list. */
export function isNetLoaded(): boolean {
  return isLoaded(NET_MODULE);
}

/** Whether `https` is loaded; true where Node has no such list. */
export function isHttpsLoaded(): boolean {
  return httpsModule !== undefined || (moduleLoadList()?.includes('NativeModule https') ?? true);
}
