import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { asError } from '../errors.js';
import type { Platform } from '../native/platform.js';
import { datagramHandle } from '../node/dgram.js';
import { asNetServer, asNetSocket, type SocketHandle } from '../node/net.js';
import type { OptionTarget, SocketOption } from '../options/socket-option.js';

/** A test socket, to try options on. */
export interface ProbeSocket {
  readonly handle: SocketHandle;
  close(): void;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function listenAt(host: string): Promise<Server> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return server;
}

/** Why no socket can have an IPv6 address here, if so: a kernel without IPv6, or one that was told to do without. */
export async function whyNoIPv6(): Promise<string | undefined> {
  try {
    (await listenAt('::1')).close();
    return undefined;
  } catch (error) {
    return `no IPv6: ${asError(error).message}`;
  }
}

function handleOf(server: Server): SocketHandle {
  const { _handle: handle } = asNetServer(server);
  if (handle === null) throw new Error('the server does not listen');
  return handle;
}

async function listener(host: string): Promise<ProbeSocket> {
  const server = await listenAt(host);
  return { handle: handleOf(server), close: () => server.close() };
}

/** IPv6 for options that only such sockets have. */
function hostFor({ ipv6Only }: SocketOption): string {
  return ipv6Only ? '::1' : '127.0.0.1';
}

/**
 * One end of a connection.
 *
 * @param prepare does something to the listener before the connection is made
 */
export async function probeConnection(
  row: SocketOption,
  end: 'accepted' | 'outgoing',
  prepare: (listener: SocketHandle) => void = () => undefined,
): Promise<ProbeSocket> {
  const host = hostFor(row);
  const server = await listenAt(host);
  prepare(handleOf(server));
  const client = connect(portOf(server), host);
  const [[accepted]]: [[Socket], unknown] = await Promise.all([
    once(server, 'connection').then(([socket]): [Socket] => [socket]),
    once(client, 'connect'),
  ]);
  const { _handle: handle } = asNetSocket(end === 'accepted' ? accepted : client);
  if (handle === null) throw new Error('the connection is closed');
  const close = (): void => {
    client.destroy();
    accepted.destroy();
    server.close();
  };
  return { handle, close };
}

/** A socket before bind(2) and connect(2), as some options must be set before. */
function unbound(platform: Platform, { ipv6Only, atCreation }: SocketOption): ProbeSocket {
  const multipath = atCreation ? platform.openSocket(false, 'multipath') : -1;
  const fd = multipath >= 0 ? multipath : platform.openSocket(ipv6Only === true);
  if (fd < 0) throw new Error(`no socket (errno ${-fd})`);
  return { handle: { fd }, close: () => platform.close(fd) };
}

async function datagram(host: string): Promise<ProbeSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  const handle = datagramHandle(socket);
  if (handle === undefined) throw new Error('this version of Node has unknown UDP sockets');
  return { handle, close: () => socket.close() };
}

/**
 * A test socket of the kind that a row is for.
 *
 * @throws Error if it cannot be made
 */
export async function probeSocket(platform: Platform, row: SocketOption, target: OptionTarget): Promise<ProbeSocket> {
  const host = hostFor(row);
  if (target === 'datagram') return datagram(host);
  if (row.phase === 'before-bind' || (target === 'outgoing' && row.phase === 'before-handshake'))
    return unbound(platform, row);
  if (target === 'listener') return listener(host);
  return probeConnection(row, target);
}
