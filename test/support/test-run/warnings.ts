/** A warning as users see it. */
export interface SeenWarning {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
}

/** Collects warnings, which are not printed meanwhile. */
export async function warningsDuring(act: () => unknown): Promise<SeenWarning[]> {
  const found: SeenWarning[] = [];
  const printing = process.listeners('warning');
  const onWarning = (warning: Error & { code?: string }): void => {
    found.push({ name: warning.name, code: warning.code, message: warning.message });
  };
  process.removeAllListeners('warning');
  process.on('warning', onWarning);
  try {
    await act();
    // They come on the next tick.
    await new Promise(setImmediate);
  } finally {
    process.off('warning', onWarning);
    for (const listener of printing) process.on('warning', listener);
  }
  return found;
}
