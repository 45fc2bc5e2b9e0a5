import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A served file. */
export interface Body {
  readonly name: string;
  readonly bytes: number;
}

const MOST_MILLISECONDS_TO_END = 300;

/** A temporary directory. It is removed at the end, also after a signal. */
export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'socket-tune-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true });
  const removeAtExit = (): void => {
    // Servers may still write into it while they end.
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

const UNITS = ['B', 'KB', 'MB', 'GB'] as const;

/** A size for people: 10 KB, 1 MB. */
export function sizeLabel(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${+(bytes / 2 ** (10 * power)).toFixed(1)} ${UNITS[power]}`;
}

export function kilobytes(count: number): Body {
  return { name: `${count}k`, bytes: count << 10 };
}

const MOST_AT_ONCE = 16 << 20;

/** Write the files. They are in the page cache then. */
export function writeBodies(directory: string, bodies: readonly Body[]): void {
  for (const { name, bytes } of bodies) {
    const file = openSync(join(directory, name), 'w');
    const piece = Buffer.alloc(Math.min(bytes, MOST_AT_ONCE), name);
    for (let left = bytes; left > 0; left -= piece.length) writeSync(file, piece, 0, Math.min(left, piece.length));
    // fsync: otherwise the disk would work during the measurement.
    fsyncSync(file);
    closeSync(file);
  }
}
