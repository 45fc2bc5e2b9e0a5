import { nextTick } from '../../clock.js';
import type { HttpMessage } from '../../http.js';
import { http } from '../../modules.js';
import type { NetServer, NetSocket } from '../../net.js';
import { type ConnectionsList, connectionsOf, newestRequest } from '../../servers/http1.js';
import { mutable, replaceMethod, type Undo } from '../replace.js';

/** Call `before` with each server that is closed, of any class: each of them calls this method (lib/net.js). */
export function beforeServerClose(prototype: object, before: (server: NetServer) => void): Undo {
  return replaceMethod<(this: NetServer, ...args: unknown[]) => unknown>(
    prototype,
    'close',
    (original) =>
      function (this: NetServer, ...args) {
        before(this);
        return original.apply(this, args);
      },
  );
}

/** Call `after` with each server that has begun to listen, or has failed to. */
export function afterListen(prototype: object, after: (server: NetServer, args: readonly unknown[]) => void): Undo {
  return replaceMethod<NetServer['_listen2']>(
    prototype,
    '_listen2',
    (original) =>
      function (this: NetServer, ...args) {
        const given = [this._handle, ...args] as const;
        const result = original.apply(this, args);
        after(this, given);
        return result;
      },
  );
}

type Idle = ConnectionsList['idle'];

/** The `idle` of Node's lists, while somebody stands before it. */
let ownIdle: Idle | undefined;

/** The idle connections of a list, as Node finds them. */
export function idleConnections(list: ConnectionsList): ReturnType<Idle> {
  return ownIdle === undefined ? list.idle() : Reflect.apply(ownIdle, list, []);
}

/**
 * Stand before the look for idle connections that are to be cut. `closeIdleConnections` of every server makes it, and nobody else.
 *
 * @param list of any server: all lists share the method
 * @param around answers in place of Node's method, see {@link idleConnections}
 */
export function aroundIdle(list: ConnectionsList, around: (list: ConnectionsList) => ReturnType<Idle>): Undo {
  const undo = replaceMethod<(this: ConnectionsList) => ReturnType<Idle>>(
    Object.getPrototypeOf(list),
    'idle',
    (original) => {
      ownIdle = original;
      return function (this: ConnectionsList) {
        return around(this);
      };
    },
  );
  return () => {
    undo();
    ownIdle = undefined;
  };
}

/** Call `after` with each HTTP/1 message whose header block has been made, and not been sent (lib/_http_outgoing.js). */
export function afterHeader(after: (message: HttpMessage) => void): Undo {
  return replaceMethod<(this: HttpMessage, ...args: unknown[]) => unknown>(
    http().OutgoingMessage.prototype,
    '_storeHeader',
    (original) =>
      function (this: HttpMessage, ...args) {
        const result = original.apply(this, args);
        after(this);
        return result;
      },
  );
}

/**
 * Give a response another header block, which says that the connection ends. Node ends it after the response, unless a request or a body
 * is still to come: then closing would lose it, and reset what the client has not read.
 */
export function endAfter(response: HttpMessage, header: string, socket: NetSocket): void {
  mutable(response)._header = header;
  // A handler that answers at once does so before the parser has come to the end of the request.
  nextTick(() => {
    const newest = newestRequest(socket);
    const isNewest = newest === undefined || newest === response.req;
    if (isNewest && response.req.complete) mutable(response)._last = true;
  });
}

/** The list of a server's connections, once it has one: Node makes it at 'listening'. */
export function whenConnectionsAreKept(server: object, use: (list: ConnectionsList) => void): void {
  nextTick(() => {
    const list = connectionsOf(server);
    if (list !== undefined) use(list);
  });
}
