import { fdOf } from '../../native/sockets/handle-fd.js';
import type { SocketHandle } from '../../node/net.js';

/** With fewer entries, closed ones are not worth a search. */
const LEAST_SWEPT = 1024;

/** Entries of sockets, which are dropped some time after their socket is closed. Closing one tells nobody, so they are looked at. */
export class LiveHandles<T extends { readonly handle: SocketHandle }> {
  #entries: T[] = [];
  #sweepAt = LEAST_SWEPT;

  /** Also drops closed ones, once the list has doubled: nobody may ever ask for the open ones. */
  add(entry: T): void {
    if (this.#entries.length >= this.#sweepAt) this.open();
    this.#entries.push(entry);
  }

  /** Those that are open, the oldest first. */
  open(): readonly T[] {
    this.#entries = this.#entries.filter(({ handle }) => fdOf(handle) >= 0);
    this.#sweepAt = Math.max(LEAST_SWEPT, 2 * this.#entries.length);
    return this.#entries;
  }
}
