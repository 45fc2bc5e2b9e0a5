import { withPlainObjects } from './plain-objects.js';

/** The C library of the running process, called in place. */
export interface Libc {
  /** A C function by its prototype. Throws if the library lacks it. */
  bind<F extends (...args: never[]) => number>(prototype: string): F;
  /** errno of the last call: read it at once, before anything else calls into the library. */
  errno(): number;
  /** Where a buffer lies. It stays there while it is referenced, if it is a Buffer of its own (`allocUnsafeSlow`). */
  address(buffer: Buffer): bigint;
}

/** The part of koffi that we use; its own types would be loaded by every importer of ours. */
interface Koffi {
  load(path: null): { func(prototype: string): unknown };
  errno(): number;
  address(buffer: Buffer): bigint;
}

/**
 * Load koffi and open the running process as a library, so that glibc and musl need no file names.
 *
 * @throws whatever koffi's loading throws: ERR_DLOPEN_DISABLED under `--permission`, MODULE_NOT_FOUND, …
 */
export function loadLibc(): Libc {
  // Not an import: it takes 5 to 12 ms, which a process that never listens need not pay, and listen() cannot wait for one.
  const { createRequire } = process.getBuiltinModule('node:module');
  const require = createRequire(import.meta.url);
  const [koffi, library] = withPlainObjects(() => {
    const loaded = require('koffi') as Koffi;
    return [loaded, loaded.load(null)];
  });
  return {
    // koffi checks the arguments at run time; the prototype and F stand side by side at every caller.
    bind: <F>(prototype: string) => library.func(prototype) as F,
    errno: () => koffi.errno(),
    address: (buffer) => koffi.address(buffer),
  };
}
