import { monotonic } from '../../node/clock.js';

/** How long a file is not asked about again. In vain, a question costs half a trip to the thread pool. */
const KEPT_FOR_MS = 1000;

const MOST = 1000;

/** Files of which the kernel has just not told what is in the page cache: by inode, descriptor or path. */
export class UntoldFiles<Key> {
  readonly #at = new Map<Key, number>();

  has(file: Key): boolean {
    if (this.#at.size === 0) return false;
    const at = this.#at.get(file);
    if (at === undefined) return false;
    if (monotonic() - at < KEPT_FOR_MS) return true;
    this.#at.delete(file);
    return false;
  }

  note(file: Key): void {
    if (this.#at.size >= MOST) this.#at.clear();
    this.#at.set(file, monotonic());
  }

  forget(file: Key): void {
    this.#at.delete(file);
  }
}
