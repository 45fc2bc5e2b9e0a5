import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { content } from '../../support/files/content.js';
import { patiently } from '../run/patience.js';
import { Random } from '../session/random.js';
import type { LineRecord, Place } from './messages.js';
import type { Leave, LinePlan, Traffic } from './plan.js';
import { connectTo } from './proxy-line.js';

/** Sinks that a line may use, one after the other. */
const MOST_SINKS = 4;

/** What a peer has received. */
export interface Got {
  readonly chunks: Buffer[];
  length: number;
}

/** The peers of a line. */
export interface Peers {
  /** Where its receivers listen. */
  readonly places: readonly Place[];
  /** By sink. */
  readonly received: readonly Got[];
  readonly back: Got;
  /**
   * Connects the sender, and goes on until all connections of the line are closed. Receivers listen even if none is left: the next one may
   * be on its way, and only the proxy knows.
   *
   * @param closed the record of the proxy
   * @returns what hangs
   */
  run(place: Place, closed: Promise<Pick<LineRecord, 'connected'>>): Promise<string | undefined>;
  close(): void;
}

/** Seconds without a byte in either direction after which a line hangs. */
const PATIENCE = 15;

const LOOK_MS = 4;

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

async function send(socket: Socket, { seed, size, piece, sendPause }: Traffic): Promise<void> {
  const bytes = content(size, seed);
  const random = new Random(seed);
  const [every, milliseconds] = sendPause;
  for (let at = 0, writes = 1; at < size && !socket.destroyed; writes++) {
    const part = bytes.subarray(at, at + random.between(...piece));
    at += part.length;
    if (at === size) return void socket.end(part);
    if (!socket.write(part)) await writable(socket);
    if (every > 0 && writes % every === 0) await pause(milliseconds);
  }
  socket.end();
}

function receive(socket: Socket, got: Got, { readPause: [every, milliseconds] }: Traffic, leave?: Leave): void {
  let reads = 0;
  socket.on('data', (chunk: Buffer) => {
    got.chunks.push(chunk);
    got.length += chunk.length;
    if (leave !== undefined && got.length >= leave.at) depart(socket, leave);
    if (every === 0 || ++reads % every !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), milliseconds);
  });
  socket.on('error', () => undefined);
}

function depart(socket: Socket, { how }: Leave): void {
  if (how === 'reset' && socket.remotePort !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}

function nothing(): Got {
  return { chunks: [], length: 0 };
}

/** What the receivers send back when no stream is to go that way. */
const SILENCE: Traffic = { seed: 1, size: 0, piece: [1, 1], sendPause: [0, 0], readPause: [0, 0] };

export async function openPeers(plan: LinePlan, directory: string, name: string): Promise<Peers> {
  const { there, back: backPlan = SILENCE, to, leave } = plan;
  const sockets: Socket[] = [];
  const received = Array.from({ length: MOST_SINKS }, nothing);
  const back = nothing();
  let isGivenUp = false;
  const servers = received.map((got, index) =>
    createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      receive(socket, got, there, leave?.who === 'receiver' ? leave : undefined);
      if (index === 0) void send(socket, backPlan);
      else socket.once('end', () => socket.end());
    }),
  );
  const places = await Promise.all(
    servers.map(async (server, index) => {
      if (to === 'unix') server.listen(join(directory, `r${name}-${index}`));
      else server.listen(0, to === 'tcp' ? '127.0.0.1' : '::1');
      await once(server, 'listening');
      const address = server.address() as AddressInfo | string;
      if (typeof address === 'string') return address;
      return to === 'tcp6' ? -address.port : address.port;
    }),
  );
  const close = (): void => {
    isGivenUp = true;
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  };
  return {
    places,
    received,
    back,
    close,
    async run(place, closed) {
      const sender = connectTo(place, undefined);
      sockets.push(sender);
      receive(sender, back, backPlan);
      if (leave?.who === 'sender') leaveLater(sender, leave);
      const sent = send(sender, there);
      const over = closed.then(async ({ connected }) => {
        const isOver = (): boolean => sockets.length > connected && sockets.every((socket) => socket.closed);
        while (!isOver() && !isGivenUp) await pause(LOOK_MS);
        await sent;
        return undefined;
      });
      const seen = (): string => JSON.stringify(sockets.map((one) => [one.bytesRead, one.bytesWritten, one.closed]));
      return patiently<string | undefined>(over, PATIENCE, seen, (problem) => problem);
    },
  };
}

function leaveLater(sender: Socket, leave: Leave): void {
  const look = setInterval(() => {
    if (sender.destroyed) clearInterval(look);
    // What is queued in this process has not been sent.
    else if (sender.bytesWritten - sender.writableLength >= leave.at) depart(sender, leave);
  }, 1);
}
