/** How long to wait for something on a busy machine before it fails. */
export const PATIENCE_MS = 60_000;

/** A moment's pause between two looks. */
const PAUSE_MS = 5;

/**
 * Wait until it is so.
 *
 * @param what is waited for, which the error says if it does not come
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  await untilFound(what, async () => ((await isSo()) ? true : undefined));
}

/** Wait until a look finds something. */
export async function untilFound<T>(what: string, find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const late = new Error(`not in ${PATIENCE_MS / 1e3} s: ${what}`);
  const start = performance.now();
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() - start > PATIENCE_MS) throw late;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
