import type { Undo } from '../node/patch/replace.js';

/** The part of require-in-the-middle that we use. */
interface RequireHooks {
  readonly Hook: new (
    modules: readonly string[],
    onRequire: (exports: unknown, name: string) => unknown,
  ) => { unhook(): void };
}

/**
 * Have what a package exports looked at, and perhaps replaced, when the app first requires it. An app that imports it is not seen.
 *
 * @returns what ends it. Whoever has got a replacement by then keeps it.
 */
export function watchPackage(name: string, onRequire: (exports: unknown) => unknown): Undo {
  // Not an import: it takes 8 ms, which only those need to pay that need it.
  const { createRequire } = process.getBuiltinModule('node:module');
  const { Hook }: RequireHooks = createRequire(import.meta.url)('require-in-the-middle');
  const hook = new Hook([name], (exports, required) => (required === name ? onRequire(exports) : exports));
  return () => hook.unhook();
}
