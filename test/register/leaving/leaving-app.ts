import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type AppOptions, type NodeProcess, startApp } from '../../support/processes/node-process.js';
import { until } from '../../support/until.js';

/**
 * An http app that listens, and prints `port N`. What it does then is `rest`, with `server` and `print` at hand.
 *
 * `/never` gets no answer, `/held` gets one when another client asks for `/release`.
 */
export function httpApp(rest = ''): string {
  return `
const print = (...values) => require('fs').writeSync(1, values.join(' ') + '\\n');
const held = [];
const server = require('http').createServer((request, response) => {
  request.resume();
  const { url } = request;
  if (url.startsWith('/never')) return print('asked', url);
  if (url === '/held') { held.push(response); return print('asked', url); }
  if (url === '/release') for (const one of held.splice(0)) one.end('held');
  if (url === '/explicit') response.setHeader('Connection', 'keep-alive');
  response.end(url.slice(1));
}).listen(0, '127.0.0.1', () => { ${rest}; print('port', server.address().port); });`;
}

/** A connection that speaks HTTP/1, byte by byte. */
export interface Wire {
  readonly socket: Socket;
  /** All that has come, as text. */
  received(): string;
  isOver(): boolean;
  /** Send, and wait until that much more has come as matches. */
  ask(text: string, answer: RegExp): Promise<string>;
}

export function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

export async function wireTo(port: number): Promise<Wire> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let isOver = false;
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOver = true;
  });
  await once(socket, 'connect');
  return {
    socket,
    received: () => received,
    isOver: () => isOver,
    async ask(text, answer) {
      const before = received.length;
      socket.write(text, 'latin1');
      await until(`${answer} comes`, () => answer.test(received.slice(before)) || isOver);
      return received.slice(before);
    },
  };
}

/** An app of {@link httpApp} that runs, and the port that it has printed. */
export interface LeavingApp {
  readonly app: NodeProcess;
  readonly port: number;
}

export async function startLeaving(source: string, options: AppOptions = {}): Promise<LeavingApp> {
  const app = startApp('cjs', source, { ...options, env: { SOCKET_TUNE_DRAIN: '30s', ...options.env } });
  const [, port] = await app.until(/port (\d+)/);
  return { app, port: Number(port) };
}
