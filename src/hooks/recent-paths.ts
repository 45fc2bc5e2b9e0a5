import { now } from '../node/clock.js';

/** What a path was found to name. */
interface FoundFile {
  /** As in Node's Stats; undefined where it was not asked for. */
  readonly device: number | undefined;
  readonly isRegular: boolean;
}

interface RecentPath extends FoundFile {
  /** When it was last found, in milliseconds. */
  foundAt: number;
}

/**
 * The kernel does not forget what a path names within this time of its last use: it frees the least recently used entries first. So
 * a call on the path needs no look whether it would wait. See RESIDENT_FOR_MS of transfer.ts for the same of pages.
 */
const KEPT_FOR_MS = 200;

/** Enough for the files that a server sends all the time. */
const MOST_PATHS = 1024;

/** Paths that were found, each on a file system that we know. */
export class RecentPaths {
  readonly #paths = new Map<string, RecentPath>();

  /** What a path named a moment ago. */
  get(path: string): RecentPath | undefined {
    const found = this.#paths.get(path);
    if (found === undefined) return undefined;
    const age = now() - found.foundAt;
    // The clock may have been set back.
    if (age >= 0 && age < KEPT_FOR_MS) return found;
    this.#paths.delete(path);
    return undefined;
  }

  /** A relative path is not kept: it names something else after process.chdir(). */
  note(path: string, found: FoundFile): void {
    if (!path.startsWith('/')) return;
    if (this.#paths.size >= MOST_PATHS) this.#paths.clear();
    this.#paths.set(path, { ...found, foundAt: now() });
  }

  forget(path: string): void {
    this.#paths.delete(path);
  }
}

/** Paths as stat(2) and open(2) resolve them: to the end of all links. */
export const recentPaths = new RecentPaths();
