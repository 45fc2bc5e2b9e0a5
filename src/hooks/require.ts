import type { Undo } from '../node/patch/replace.js';

/** require-in-the-middle, as far as we use it. */
interface RequireHooks {
  readonly Hook: new (
    modules: readonly string[],
    onRequire: (exports: unknown, name: string) => unknown,
  ) => { unhook(): void };
}

/**
 * Call `onRequire` with the exports of a package when the app first requires it, and give the app the result. An `import` is not seen.
 *
 * @returns an undo. Whoever has the replacement by then keeps it.
 */
export function watchPackage(name: string, onRequire: (exports: unknown) => unknown): Undo {
  // Loaded here, as it takes 8 ms that most processes need not pay.
  const { createRequire } = process.getBuiltinModule('node:module');
  const { Hook }: RequireHooks = createRequire(import.meta.url)('require-in-the-middle');
  const hook = new Hook([name], (exports, required) => (required === name ? onRequire(exports) : exports));
  return () => hook.unhook();
}
