import type { Platform } from '../../native/platform.js';
import { familyOf } from '../../native/sockets/handle-fd.js';
import { monotonic } from '../../node/clock.js';
import { handleBelow, type NetSocket } from '../../node/net.js';
import { counters } from '../../report/counters.js';
import { destinationOf } from '../../report/destination-record.js';
import { clientConnection } from '../peers/known-connections.js';

/**
 * How long the kernel's answer holds, in milliseconds. A connection that is busy is asked about once in this time, whatever its rate: a
 * system call costs up to a tenth of a small request's CPU. So an end that is younger may be missed, as one that is still on its way.
 */
export const ANSWER_HOLDS_MS = 2;

/** Keeps the clients of this thread from connections that have died in their pools. */
export class PoolGuard {
  readonly #platform: () => Platform;
  #isOff = false;

  /** @param platform loads koffi, so it is not called before the first connection is used again */
  constructor(platform: () => Platform) {
    this.#platform = platform;
  }

  /** Whether the peer of an idle connection has closed it. */
  isStale(socket: NetSocket): boolean {
    const handle = socket._handle;
    if (this.#isOff || handle == null || socket.connecting) return false;
    const now = monotonic();
    const connection = clientConnection(socket, handle);
    if (now - connection.askedAt < ANSWER_HOLDS_MS) return false;
    connection.askedAt = now;
    return this.#platform().hasPeerClosed(handle);
  }

  /** From now on no connection is stale. */
  switchOff(): void {
    this.#isOff = true;
  }

  /**
   * Destroy a connection that is stale, as Node's own guard does (lib/_http_agent.js `hasPendingRead`). So nothing is read that came
   * before the end: it answers no request.
   *
   * @param host of the destination, where the socket does not know it
   * @param port of the destination, where the kernel does not tell it any more
   */
  drop(socket: NetSocket, host: string, port: number): void {
    const handle = socket._handle;
    counters.staleConnections++;
    if (handle !== null && familyOf(handleBelow(handle) ?? handle) !== 'unix') {
      const { _host: named } = socket;
      const known = typeof named === 'string' ? named : socket.remoteAddress;
      destinationOf(known ?? host, socket.remotePort ?? port).stale++;
    }
    socket.destroy();
  }
}
