/** Symbols of Node's own, by their descriptions. An object that carries one is the only way to it. */
export type NodeSymbol =
  /** lib/internal/fs/streams.js `kFs`: the `fs` of a file stream. Test: node/streams. */
  | 'kFs'
  /** lib/internal/async_hooks.js `owner_symbol`: the socket that a handle belongs to. Test: hooks/sockets/outgoing-socket. */
  | 'owner_symbol'
  /** lib/internal/dgram.js `kStateSymbol`: a dgram.Socket's handle, among others. Test: hooks/sockets/datagram. */
  | 'state symbol'
  /** lib/net.js `kLastWriteQueueSize`: what was queued at the last look, for a socket's timeout. Test: node/patch/net. */
  | 'lastWriteQueueSize'
  /** lib/internal/child_process.js `kPendingMessages`: messages that wait for a listener. Test: register/handed/handed-over. */
  | 'kPendingMessages'
  /** lib/_http_server.js `kConnections`. Test: register/leaving/closing. */
  | 'http.server.connections'
  /** lib/internal/stream_base_commons.js: the session on a socket. Test: register/leaving/closing. */
  | 'kBoundSession'
  /** The same file: the app's buffer for reads, or null. Test: hooks/splice/piped-read. */
  | 'kBuffer'
  /** lib/internal/http2/core.js, from Node 24 on: `kSessions` of a server. */
  | 'sessions'
  /** The same file: `kState` of a session. */
  | 'state'
  /** The same file: `kSocket` of a session. */
  | 'socket'
  /** The same file: `kRequest` of a stream. */
  | 'request';

const known = new Map<NodeSymbol, symbol>();

/**
 * The symbol of this description. It is looked for until it has been found once.
 *
 * @param object that carries it
 */
export function nodeSymbol(object: object, description: NodeSymbol): symbol | undefined {
  const seen = known.get(description);
  if (seen !== undefined) return seen;
  const found = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description);
  if (found !== undefined) known.set(description, found);
  return found;
}

/** What an object has by one of Node's symbols; undefined where it has none. */
export function valueBySymbol(object: object, description: NodeSymbol): unknown {
  const symbol = nodeSymbol(object, description);
  return symbol === undefined ? undefined : Reflect.get(object, symbol);
}
