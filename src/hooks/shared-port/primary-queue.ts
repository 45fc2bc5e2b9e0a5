import type { Platform } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import type { ListenHandle, SocketHandle } from '../../node/net.js';
import { aroundConnection } from '../../node/patch/net.js';
import { ignoreNewcomers } from './drain.js';

/** Closed handles are looked for when there are so many, at least. */
const LEAST_TO_SWEEP = 64;

/**
 * The connections that wait for a worker where a cluster's primary accepts them (lib/internal/cluster/round_robin_handle.js). They are in
 * the kernel's queue, or in Node's list while all workers are busy. Node closes all of them with its last worker's server.
 */
export class PrimaryQueue {
  readonly #handle: ListenHandle;
  readonly #isOwn: boolean;
  /** Node closes its handle of a connection when a worker has taken that. */
  readonly #accepted = new Set<SocketHandle>();
  #most = LEAST_TO_SWEEP;

  /** @param isOwn this process has made its socket: of any other, newcomers are not ours alone */
  constructor(handle: ListenHandle, isOwn: boolean) {
    this.#handle = handle;
    this.#isOwn = isOwn;
    aroundConnection(
      handle,
      (client) => this.#note(client),
      () => undefined,
    );
  }

  get isOpen(): boolean {
    return fdOf(this.#handle) >= 0;
  }

  ignoreNewcomers(platform: Platform): void {
    if (this.#isOwn) ignoreNewcomers(platform, this.#handle);
  }

  /** Whether nothing waits. Of a Unix socket, the kernel does not tell. */
  isEmpty(platform: Platform): boolean {
    this.#sweep();
    return this.#accepted.size === 0 && (platform.acceptQueue(this.#handle)?.length ?? 0) === 0;
  }

  #note(client: SocketHandle): void {
    this.#accepted.add(client);
    if (this.#accepted.size < this.#most) return;
    this.#sweep();
    this.#most = Math.max(LEAST_TO_SWEEP, this.#accepted.size * 2);
  }

  #sweep(): void {
    for (const client of this.#accepted) if (fdOf(client) < 0) this.#accepted.delete(client);
  }
}
