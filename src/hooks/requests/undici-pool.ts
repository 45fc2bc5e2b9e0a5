import { hiddenSlot } from '../../node/hidden-slot.js';
import type { NetSocket } from '../../node/net.js';
import { beforeDestroyed, type ClientConnection, clientConnection } from '../../node/patch/undici.js';
import type { PoolGuard } from './pool-guard.js';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Contexts of connections that are guarded. */
const guarded = hiddenSlot<object, true>();

function guardConnection(guard: PoolGuard, socket: NetSocket, connection: ClientConnection): void {
  beforeDestroyed(connection.context, () => {
    if (!connection.isAboutToWrite || socket.destroyed || !guard.isStale(socket)) return;
    const { hostname = '', port = '', protocol = '' } = connection.url ?? {};
    guard.drop(socket, hostname.replace(/^\[|\]$/g, ''), Number(port) || (DEFAULT_PORTS[protocol] ?? 0));
  });
}

/**
 * Guard the connection of undici's that a socket belongs to, if it does: fetch(), and clients and pools of undici.
 *
 * undici asks its connection whether it is destroyed, and then writes the request. If it is, the request stays in the client's queue until
 * the socket's 'close', when the client connects anew. Call this while a request is being written: a connection that has served no request
 * is not guarded. Else a server that closes at once would be connected to for ever.
 */
export function guardClient(guard: PoolGuard, socket: NetSocket): void {
  const connection = clientConnection(socket);
  if (connection === undefined || guarded.get(connection.context)) return;
  guarded.set(connection.context, true);
  guardConnection(guard, socket, connection);
}
