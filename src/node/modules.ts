import type { BoundHandle } from './net.js';

/**
 * Node's modules are taken like this, and never imported: `net` costs milliseconds at every start, listening or not, and an
 * `import` of `fs` or `util` evaluates all that they export, which loads streams and promises.
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

/** A module of CommonJS (lib/internal/modules/cjs/loader.js). */
export interface CommonModule extends NodeJS.Module {
  /** Runs its code, however it is loaded: by require(), or by an import (lib/internal/modules/esm/translators.js). Test: hooks/compression. */
  _compile(...args: unknown[]): unknown;
}

/** What all of them have for their prototype. */
export function modulePrototype(): CommonModule {
  return process.getBuiltinModule('node:module').Module.prototype as CommonModule;
}

/** lib/net.js exports it for lib/internal/cluster/shared_handle.js; a number is libuv's error. Test: hooks/before-bind. */
type NetModule = typeof import('node:net') & {
  readonly _createServerHandle?: (
    address: string | null,
    port: number,
    addressType: number,
    fd?: number,
    flags?: number,
  ) => BoundHandle | number;
};

/** Kept, as asking cuts the `node:` off each time, which makes a string. */
let fsModule: typeof import('node:fs') | undefined;

let netModule: NetModule | undefined;

/** What has been loaded of Node's own modules (lib/internal/bootstrap/realm.js). Test: first-use. */
export function moduleLoadList(): readonly string[] | undefined {
  return (process as { readonly moduleLoadList?: readonly string[] }).moduleLoadList;
}

/** See {@link moduleLoadList}. */
export const NET_MODULE = 'NativeModule net';

/** Whether it is loaded already. Where Node does not say: yes. */
export function isNetLoaded(): boolean {
  return moduleLoadList()?.includes(NET_MODULE) ?? true;
}
