// Process of peers.ts: both ends of the connections through a proxy. It takes one job at a time, as a POST of JSON.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Jobs } from './peers.js';

const PIECE = Buffer.alloc(1 << 20, 'socket-tune');
const MESSAGE = Buffer.alloc(100, 'm');

/** What a target is asked to do, in the first byte of a connection: to take all, to echo, or to send so many megabytes. */
const [TAKE, ECHO, SEND] = ['T', 'E', 'S'] as const;

function pump(socket: Socket, bytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = bytes;
    const write = (): void => {
      while (left > 0) {
        const part = PIECE.subarray(0, Math.min(left, PIECE.length));
        left -= part.length;
        if (!socket.write(part)) return;
      }
      socket.off('drain', write);
      socket.end();
      resolve();
    };
    socket.once('error', reject);
    socket.on('drain', write);
    write();
  });
}

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (first) => {
    const [what] = first.toString('latin1', 0, 1);
    if (what === ECHO) {
      socket.write(first.subarray(1));
      socket.pipe(socket);
    } else if (what === SEND) void pump(socket, Number(first.toString('latin1', 1)) << 20);
    else socket.once('end', () => socket.end()).resume();
  });
}

const target = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1');
const webSocket = createHttpServer().listen(0, '127.0.0.1');
webSocket.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  socket.pipe(socket);
});

function portOf(server: Server | ReturnType<typeof createHttpServer>): number {
  return (server.address() as AddressInfo).port;
}

/** A socket that puts what it reads into one buffer, so that this process keeps up. */
function reading(port: number, onBytes: (count: number, buffer: Buffer) => void): Socket {
  const buffer = Buffer.allocUnsafe(256 << 10);
  return connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer,
      callback(count) {
        onBytes(count, buffer);
        return true;
      },
    },
  });
}

async function handshake(socket: Socket, text: string): Promise<void> {
  await once(socket, 'connect');
  socket.write(text);
}

/** One message at a time is under way on each connection. Returns the milliseconds of each round trip. */
async function converse(
  sockets: number,
  messages: number,
  open: (onBytes: (count: number) => void) => Socket,
): Promise<number[]> {
  const times: number[] = [];
  await Promise.all(
    Array.from({ length: sockets }, async () => {
      let need = 0;
      let done: () => void = () => undefined;
      const socket = open((count) => {
        need -= count;
        if (need <= 0) done();
      });
      for (let message = 0; message < messages / sockets; message++) {
        need = MESSAGE.length;
        const began = performance.now();
        const answer = new Promise<void>((resolve) => {
          done = resolve;
        });
        socket.write(MESSAGE);
        await answer;
        times.push(performance.now() - began);
      }
      socket.destroy();
    }),
  );
  return times;
}

/** A connection whose handshake has an answer that ends with an empty line. */
async function upgraded(port: number, request: string, onBytes: (count: number) => void): Promise<Socket> {
  let isOpen = false;
  let opened: () => void = () => undefined;
  const open = new Promise<void>((resolve) => {
    opened = resolve;
  });
  let head = '';
  const socket = reading(port, (count, buffer) => {
    if (isOpen) return onBytes(count);
    head += buffer.toString('latin1', 0, count);
    if (!head.includes('\r\n\r\n')) return;
    isOpen = true;
    if (!/^HTTP\/1\.1 (?:101|200) /.test(head)) throw new Error(`a proxy answers ${head}`);
    opened();
  });
  await handshake(socket, request);
  await open;
  return socket;
}

async function echo({ port, messages }: Jobs['echo']): Promise<void> {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const takers: ((count: number) => void)[] = [];
  const sockets = await Promise.all(
    Array.from({ length: 8 }, (_, index) => upgraded(port, request, (count) => takers[index]?.(count))),
  );
  let next = 0;
  await converse(8, messages, (onBytes) => {
    const index = next++;
    takers[index] = onBytes;
    const socket = sockets[index];
    if (socket === undefined) throw new Error('too few sockets');
    return socket;
  });
}

async function download({ port, megabytes }: Jobs['download']): Promise<void> {
  let left = megabytes << 20;
  let done: () => void = () => undefined;
  const whole = new Promise<void>((resolve) => {
    done = resolve;
  });
  const place = `127.0.0.1:${portOf(target)}`;
  const socket = await upgraded(port, `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`, (count) => {
    left -= count;
    if (left <= 0) done();
  });
  socket.write(`${SEND}${megabytes}`);
  await whole;
  socket.destroy();
}

/** Keeps a socket full, a small piece a turn: this process is to be there for its messages, too. */
function pour(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.write(PIECE.subarray(0, 64 << 10))) setImmediate(pour, socket);
  else socket.once('drain', () => pour(socket));
}

/** Small messages beside a bulk without an end, in one proxy. */
async function beside({ port, messages }: Jobs['beside']): Promise<number[]> {
  const large = connect({ port, host: '127.0.0.1' });
  large.on('error', () => large.destroy()).resume();
  large.write(TAKE);
  pour(large);
  await once(large, 'drain');
  const times = await converse(1, messages, (onBytes) => {
    const socket = reading(port, onBytes);
    socket.write(ECHO);
    return socket;
  });
  if (large.destroyed) throw new Error('the bulk has not lasted');
  large.destroy();
  return times;
}

const DO: { readonly [K in keyof Jobs]: (job: Jobs[K]) => Promise<unknown> } = { echo, download, beside };

const control = createHttpServer(async (request, response) => {
  let text = '';
  for await (const piece of request) text += piece;
  const name = request.url?.slice(1) as keyof Jobs | 'ports';
  try {
    const answer =
      name === 'ports'
        ? { target: portOf(target), webSocket: portOf(webSocket) }
        : await (DO[name] as (job: unknown) => Promise<unknown>)(JSON.parse(text));
    response.end(JSON.stringify(answer ?? null));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});
control.requestTimeout = 0;
await Promise.all([once(target, 'listening'), once(webSocket, 'listening')]);
control.listen(0, '127.0.0.1', () => console.log(portOf(control)));
