import type { FileCalls } from '../../native/platform.js';

/**
 * The open file that regions read from: the stream's own descriptor for as long as the stream keeps it open. When the stream
 * closes it while regions are still to be sent, they go on with a duplicate. So the stream closes its file when it would without
 * us, and the number is never another file's.
 */
export class FileDescriptor {
  #fd: number;
  #owned: boolean;
  #holders = 0;
  #whenIdle: (() => void) | undefined;
  readonly #files: FileCalls;

  /** @param owned whether it is ours to close */
  constructor(files: FileCalls, fd: number, owned: boolean) {
    this.#files = files;
    this.#fd = fd;
    this.#owned = owned;
  }

  get fd(): number {
    return this.#fd;
  }

  get isHeld(): boolean {
    return this.#holders > 0;
  }

  hold(): void {
    this.#holders++;
  }

  /** The last one to let go closes a descriptor of our own. */
  letGo(): void {
    this.#holders--;
    if (this.#holders > 0) return;
    if (this.#owned) {
      this.#files.close(this.#fd);
      this.#fd = -1;
    }
    const whenIdle = this.#whenIdle;
    this.#whenIdle = undefined;
    whenIdle?.();
  }

  /**
   * Become independent of the stream's descriptor.
   *
   * @returns false when there are no descriptors left (EMFILE)
   */
  own(): boolean {
    if (this.#owned) return true;
    const duplicate = this.#files.duplicate(this.#fd);
    if (duplicate < 0) return false;
    this.#fd = duplicate;
    this.#owned = true;
    return true;
  }

  /** Call back once nobody holds it any more. */
  whenIdle(callback: () => void): void {
    this.#whenIdle = callback;
  }
}
