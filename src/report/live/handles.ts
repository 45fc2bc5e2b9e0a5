import { fdOf } from '../../native/sockets/handle-fd.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import type { SocketHandle } from '../../node/net.js';

/** With fewer entries, those that are gone are not worth a search. */
const LEAST_SWEPT = 1024;

/**
 * Entries of sockets. Closing a socket tells nobody, so they are looked at. An entry lives as long as its handle, which has it: the list
 * keeps no socket alive, nor what hangs on that, such as a request and its context.
 */
export class LiveHandles<T extends { readonly handle: SocketHandle }> {
  readonly #ofHandle = hiddenSlot<SocketHandle, T>();
  #entries: WeakRef<T>[] = [];
  #sweepAt = LEAST_SWEPT;

  /** Also drops closed ones, once the list has doubled: nobody may ever ask for the open ones. */
  add(entry: T): void {
    if (this.#entries.length >= this.#sweepAt) this.open();
    this.#ofHandle.set(entry.handle, entry);
    this.#entries.push(new WeakRef(entry));
  }

  /** Those that are open, the oldest first. */
  open(): readonly T[] {
    const open: T[] = [];
    this.#entries = this.#entries.filter((reference) => {
      const entry = reference.deref();
      if (entry === undefined || fdOf(entry.handle) < 0) return false;
      open.push(entry);
      return true;
    });
    this.#sweepAt = Math.max(LEAST_SWEPT, 2 * this.#entries.length);
    return open;
  }
}
