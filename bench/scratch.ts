import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file to be served. */
export interface Body {
  readonly name: string;
  readonly bytes: number;
}

const MOST_MILLISECONDS_TO_END = 300;

/** A directory of our own, which is gone afterwards, also when the process is told to end. */
export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'socket-tune-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true });
  const removeAtExit = (): void => {
    // Servers, which are ending as well, may write into it until they have.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MOST_MILLISECONDS_TO_END);
    remove();
  };
  process.once('exit', removeAtExit);
  try {
    return await use(directory);
  } finally {
    process.off('exit', removeAtExit);
    remove();
  }
}

export function kilobytes(count: number): Body {
  return { name: `${count}k`, bytes: count << 10 };
}

/** Just written, so they are in the page cache. */
export function writeBodies(directory: string, bodies: readonly Body[]): void {
  for (const { name, bytes } of bodies) writeFileSync(join(directory, name), Buffer.alloc(bytes, name));
}
