import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import type { OptionValues } from '../../../src/options/table.js';
import { kernelValue } from './kernel-value.js';
import { handleOf, listening, portOf } from './socket-pair.js';

/** Values that no socket has by default. */
export const OUTGOING_VALUES: OptionValues = {
  noDelay: true,
  keepAlive: true,
  keepAliveIdle: 77,
  keepAliveInterval: 11,
  keepAliveCount: 4,
  userTimeout: 54_321,
  notSentLowWater: 99_000,
};

const CONSTANTS = {
  noDelay: 'TCP_NODELAY',
  keepAlive: 'SO_KEEPALIVE',
  idle: 'TCP_KEEPIDLE',
  interval: 'TCP_KEEPINTVL',
  count: 'TCP_KEEPCNT',
  userTimeout: 'TCP_USER_TIMEOUT',
  notSent: 'TCP_NOTSENT_LOWAT',
} as const;

type SocketValues = Readonly<Record<keyof typeof CONSTANTS, number>>;

export const TUNED: SocketValues = {
  noDelay: 1,
  keepAlive: 1,
  idle: 77,
  interval: 11,
  count: 4,
  userTimeout: 54_321,
  notSent: 99_000,
};

/** The kernel's values of the options of {@link OUTGOING_VALUES}. */
export function valuesOf(socket: Socket): SocketValues {
  const handle = handleOf(socket);
  const entries = Object.entries(CONSTANTS).map(([key, constant]) => [key, kernelValue(handle, constant)]);
  return Object.fromEntries(entries) as SocketValues;
}

/** A lookup that resolves every name to these addresses, in their order. */
export function nameOf(...addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, options, callback) => {
    const [first] = found;
    if (first === undefined) throw new Error('a name of nothing');
    if (options.all) setTimeout(callback, 1, null, found);
    else setTimeout(callback, 1, null, first.address, first.family);
  };
}

/** A server whose connections are ended with it. */
export interface Peer {
  readonly port: number;
  close(): void;
}

/** A server that says `hello`, and then what it hears. */
export async function echoPeer(server: Server = createServer(), host = '127.0.0.1'): Promise<Peer> {
  const sockets = new Set<Socket>();
  const event = 'addContext' in server ? 'secureConnection' : 'connection';
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write('hello');
    socket.pipe(socket);
  });
  if (host === '127.0.0.1') await listening(server);
  else await once(server.listen(0, host), 'listening');
  return {
    port: portOf(server),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
