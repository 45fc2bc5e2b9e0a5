import net, { type LookupFunction, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import { nameOf } from '../../support/sockets/outgoing.js';

/** What there is on the machine to connect to. */
export interface Place {
  /** A server that says hello and echoes. */
  readonly peer: number;
  /** Nobody listens there. */
  readonly refusing: number;
  /** A server that resets every connection when it has received something. */
  readonly resetting: number;
  /** A path at which there is nothing. */
  readonly nowhere: string;
}

export type Log = (...words: readonly unknown[]) => void;

/** What an app does with the sockets that it opens. */
export interface Script {
  /** How many sockets are tuned in it. NaN where that is not the same in every run. */
  readonly tuned: number;
  act(place: Place, log: Log): Promise<unknown> | unknown;
}

const EVENTS = [
  ...['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout', 'connect', 'ready'],
  ...['data', 'end', 'timeout', 'drain', 'finish', 'error', 'close'],
];

export function errorWords(error: Error): unknown[] {
  const { code, errno, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const inner = error instanceof AggregateError ? error.errors.map(errorWords) : [];
  return [error.name, error.message, code, errno, syscall, address, port, Object.keys(error), ...inner];
}

function argumentWords(argument: unknown): unknown {
  if (argument instanceof Error) return errorWords(argument);
  return argument instanceof Buffer ? String(argument) : argument;
}

/** Logs all events of a socket, and its state at each of them. */
export function watch(socket: Socket, log: Log): Socket {
  for (const event of EVENTS) {
    socket.on(event, (...args: unknown[]) => {
      const words = args.map(argumentWords);
      log(event, words, state(socket));
    });
  }
  return socket;
}

export function state(socket: Socket): unknown {
  const { address, family } = socket.address() as Partial<net.AddressInfo>;
  const { connecting, pending, destroyed, readyState, remoteAddress, remotePort, bytesRead, bytesWritten } = socket;
  const own = { address, family, localAddress: socket.localAddress, hasPort: (socket.localPort ?? 0) > 0 };
  const far = { remoteAddress, remotePort, remoteFamily: socket.remoteFamily };
  const attempted = socket.autoSelectFamilyAttemptedAddresses;
  return { connecting, pending, destroyed, readyState, bytesRead, bytesWritten, own, far, attempted };
}

function properties(socket: Socket): unknown {
  return Reflect.ownKeys(socket).map(String);
}

/** Connects, talks, and closes. */
async function talk(options: NetConnectOpts, log: Log): Promise<void> {
  const socket = watch(net.connect(options), log);
  log('made', state(socket), properties(socket));
  socket.once('data', () => socket.end('goodbye'));
  await ended(socket);
  log('in the end', state(socket), properties(socket));
}

export async function ended(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once('close', resolve));
}

export function talks(options: (place: Place) => Partial<TcpNetConnectOpts> | { path: string }, tuned = 1): Script {
  return {
    tuned,
    act: (place, log) => talk({ port: place.peer, host: '127.0.0.1', ...options(place) } as NetConnectOpts, log),
  };
}

export const atOnce: LookupFunction = (_host, options, callback) => {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

export const failing: LookupFunction = (_host, _options, callback) => {
  setTimeout(callback, 1, Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), '', 4);
};

/** A socket that its owner ends at a moment of his choice. */
export function endsAt(
  end: (socket: Socket, log: Log) => unknown,
  host = '127.0.0.1',
  lookup = nameOf('127.0.0.1'),
): Script {
  return {
    tuned: Number.NaN,
    async act({ peer }, log) {
      const socket = watch(net.connect({ port: peer, host, lookup }), log);
      const closed = ended(socket);
      await end(socket, log);
      await closed;
      log('in the end', state(socket));
    },
  };
}
