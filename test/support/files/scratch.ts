import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory that lives as long as the suite. */
export interface Scratch {
  /** A path in it. */
  path(name: string): string;
  /** A new file in it. */
  file(name: string, bytes: Uint8Array | string): string;
}

/** Give the suite a directory of its own. */
export function useScratch(): Scratch {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'unit-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));
  const path = (name: string): string => join(directory, name);
  return {
    path,
    file(name, bytes) {
      writeFileSync(path(name), bytes);
      return path(name);
    },
  };
}
