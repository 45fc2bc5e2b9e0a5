/**
 * Have a function hear what would be printed to standard error, by anybody in this process, in place of its being printed.
 *
 * @returns what ends that
 */
export function watchPrinting(heard: (text: string) => void): () => void {
  const { write } = process.stderr;
  const printing = process.listeners('warning');
  // Node prints them past process.stderr.
  const onWarning = (warning: Error): void => heard(String(warning.stack));
  process.removeAllListeners('warning');
  process.on('warning', onWarning);
  process.stderr.write = (chunk: Uint8Array | string): boolean => {
    // execFileSync() writes a program's standard error, even if it is empty.
    if (chunk.length > 0) heard(String(chunk));
    return true;
  };
  return () => {
    process.stderr.write = write;
    process.off('warning', onWarning);
    for (const listener of printing) process.on('warning', listener);
  };
}
