import { once } from 'node:events';
import { connect, createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reach } from '../../support/sockets/socket-pair.js';
import type { Recorder } from '../harness/recorder.js';
import { watchSocket } from './watch.js';

export type Kind = 'tcp' | 'tcp6' | 'unix';

export interface LineOptions {
  readonly from?: Kind;
  readonly to?: Kind;
  /** Of the two sockets of the proxy. */
  readonly allowHalfOpen?: boolean;
  readonly sourceHighWaterMark?: number;
  readonly sinkHighWaterMark?: number;
}

/** A proxy with both of its peers: sender → source | sink → receiver. All four are in this process, so that little is left to chance. */
export interface Line {
  /** Connects to the proxy. */
  readonly sender: Socket;
  /** Accepted by the proxy. */
  readonly source: Socket;
  /** Connected by the proxy. */
  readonly sink: Socket;
  /** Accepted by whom the proxy connects to. */
  readonly receiver: Socket;
}

let paths = 0;

async function listen(kind: Kind, options: ServerOpts): Promise<Server> {
  const server = createServer(options);
  if (kind === 'unix') server.listen(join(tmpdir(), `splice-${process.pid}-${paths++}`));
  else server.listen(0, kind === 'tcp' ? '127.0.0.1' : '::1');
  await once(server, 'listening');
  return server;
}

function target(server: Server, kind: Kind): ReturnType<typeof reach> {
  return kind === 'tcp6' ? { ...reach(server), host: '::1' } : reach(server);
}

async function opened(socket: Socket): Promise<Socket> {
  await once(socket, 'connect');
  return socket;
}

async function accepted(server: Server): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  // A peer that is gone is a thing of the scenario, never an error of the peer's side.
  return socket;
}

function quiet(peer: Socket): Socket {
  return peer.on('error', () => undefined);
}

/** Opens the connections of a proxy. The events of its sockets are recorded, each in the context in which the socket was made. */
export async function openLine(recorder: Recorder, options: LineOptions = {}, name = ''): Promise<Line> {
  const { from = 'tcp', to = 'tcp', allowHalfOpen = false, sourceHighWaterMark, sinkHighWaterMark } = options;
  const ofSource = sourceHighWaterMark === undefined ? {} : { highWaterMark: sourceHighWaterMark };
  const ofSink = sinkHighWaterMark === undefined ? {} : { highWaterMark: sinkHighWaterMark };
  const front = await recorder.within('accepting', () => listen(from, { allowHalfOpen, ...ofSource }));
  const back = await listen(to, { allowHalfOpen: true });
  const [sender, source] = await Promise.all([
    opened(connect({ ...target(front, from), allowHalfOpen: true })),
    accepted(front),
  ]);
  const [sink, receiver] = await Promise.all([
    recorder.within('connecting', () => opened(connect({ ...target(back, to), allowHalfOpen, ...ofSink }))),
    accepted(back),
  ]);
  watchSocket(recorder, `source${name}`, source);
  watchSocket(recorder, `sink${name}`, sink);
  return { sender: quiet(sender), source, sink, receiver: quiet(receiver) };
}

/** Resolves when sockets are closed, in whatever way. */
export async function closed(...sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))));
}

/** Destroys what is left of a line. */
export async function close({ sender, source, sink, receiver }: Line): Promise<void> {
  const sockets = [sender, source, sink, receiver];
  for (const socket of sockets) socket.destroy();
  await closed(...sockets);
}
