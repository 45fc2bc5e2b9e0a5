import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { type BoundHandle, listenerHandle, type SocketHandle } from '../../node/net.js';
import { receiveConnections } from '../../node/patch/net.js';

/** A worker of a cluster, by its id there, and its process. */
export interface GroupWorker {
  readonly id: number;
  readonly pid: number | undefined;
}

/**
 * A listener of a group. The primary keeps it open beside its worker, so connections in its accept queue survive the worker. Without a
 * worker, the primary accepts on it (relay) until the next worker takes it over.
 */
export class GroupListener {
  readonly handle: BoundHandle;
  #worker: GroupWorker | undefined;
  #relay: BoundHandle | undefined;

  constructor(handle: BoundHandle) {
    this.handle = handle;
  }

  get worker(): GroupWorker | undefined {
    return this.#worker;
  }

  /** The worker accepts from now on. */
  give(worker: GroupWorker): void {
    this.#worker = worker;
    this.#relay?.close();
    this.#relay = undefined;
  }

  /** The worker accepts no more. */
  takeBack(): void {
    this.#worker = undefined;
  }

  /**
   * Accept in the primary, by a second descriptor: a handle that accepts cannot stop.
   *
   * @returns false if no descriptor can be had
   */
  relay(platform: Platform, backlog: number, onConnection: (client: SocketHandle) => void): boolean {
    const fd = platform.files?.duplicate(fdOf(this.handle)) ?? -1;
    const relay = fd < 0 ? undefined : listenerHandle(this.handle, fd);
    if (relay === undefined) {
      if (fd >= 0) platform.close(fd);
      debug('no relay: descriptor %d', fd);
      return false;
    }
    receiveConnections(relay, (error, client) => {
      if (error === 0 && client !== undefined) onConnection(client);
    });
    relay.listen(backlog);
    this.#relay = relay;
    return true;
  }

  close(): void {
    this.#relay?.close();
    this.handle.close();
  }
}
