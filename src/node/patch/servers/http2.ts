import type { ServerHttp2Session } from 'node:http2';
import { nextTick } from '../../clock.js';
import type { NetServer, NetSocket } from '../../net.js';
import { sessionListOf, sessionsOf } from '../../servers/http2.js';
import { nodeSymbol } from '../../symbols.js';
import { standBefore } from '../listeners.js';
import type { Undo } from '../replace.js';

/**
 * Keep the sessions of a server that is being closed from being closed with it (lib/internal/http2/core.js `closeAllSessions`, from
 * Node 24 on). Sessions that the app closes meanwhile are closed.
 */
export function keepSessionsOpen(server: NetServer): void {
  const list = sessionListOf(server);
  const key = nodeSymbol(server, 'sessions');
  if (list === undefined || key === undefined) return;
  const meanwhile = new Set<ServerHttp2Session>();
  Reflect.set(server, key, meanwhile);
  nextTick(() => {
    Reflect.set(server, key, list);
    for (const session of meanwhile) list.add(session);
    for (const session of sessionsOf(server) ?? []) if (session.destroyed) list.delete(session);
  });
}

/**
 * Call `note` with each TLS socket that http2 has got: before Node 24, it keeps no list of its sessions.
 *
 * @returns an undo; undefined of other servers
 */
export function afterSecureConnection(server: NetServer, note: (socket: NetSocket) => void): Undo | undefined {
  if (server.constructor.name !== 'Http2SecureServer' || sessionsOf(server) !== undefined) return undefined;
  const own = server.rawListeners('secureConnection').find(({ name }) => name === 'connectionListener');
  return standBefore<[NetSocket]>(server, 'secureConnection', own, (next, socket) => {
    next();
    note(socket);
  });
}

/**
 * Call `after` with each stream that the peer opens, when the app has got it.
 *
 * @returns an undo; undefined where Node's own listener is not among those of the session
 */
export function afterStream(session: ServerHttp2Session, after: () => void): Undo | undefined {
  const own = session.rawListeners('stream').find(({ name }) => name === 'sessionOnStream');
  return standBefore<unknown[]>(session, 'stream', own, (next) => {
    next();
    after();
  });
}
