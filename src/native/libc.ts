import { withoutStderr, withPlainObjects } from './plain-objects.js';

/** The C library of the running process. Calls run on the calling thread. */
export interface Libc {
  /** A C function, by its prototype. Throws if the library lacks it. */
  bind<F extends (...args: never[]) => number>(prototype: string): F;
  /** errno(3) of the last call. Read it before any other call into the library. */
  errno(): number;
  /** Address of a buffer. It is valid while the buffer is referenced, and owns its memory (`allocUnsafeSlow`). */
  address(buffer: Buffer): bigint;
}

/** The part of koffi that we use. With koffi's own types, every user of ours would load them. */
interface Koffi {
  load(path: null): { func(prototype: string): unknown };
  errno(): number;
  address(buffer: Buffer): bigint;
}

/**
 * Load koffi and open the running process as a library: dlopen(3) of NULL. So glibc and musl need no file names.
 *
 * @throws the error of koffi's loading: ERR_DLOPEN_DISABLED under `--permission`, MODULE_NOT_FOUND, …
 */
export function loadLibc(): Libc {
  // A static import would cost every process 5 to 12 ms. A dynamic one is asynchronous, and listen() cannot wait.
  const { createRequire } = process.getBuiltinModule('node:module');
  const require = createRequire(import.meta.url);
  const [koffi, library] = withPlainObjects(() => {
    const loaded = withoutStderr(() => require('koffi') as Koffi);
    return [loaded, loaded.load(null)];
  });
  return {
    // The cast trusts the caller, where prototype and F stand side by side. koffi checks the arguments at run time.
    bind: <F>(prototype: string) => library.func(prototype) as F,
    errno: () => koffi.errno(),
    address: (buffer) => koffi.address(buffer),
  };
}
