import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Server, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { parseResponses } from '../../support/sockets/http-wire.js';
import type { Recorder } from '../harness/recorder.js';
import type { Scenarios } from '../harness/scenario.js';
import { serve } from './serve.js';
import { allValues, titleOf, type Values } from './values.js';

/** Seconds for one exchange. Those in which this process had no turn are not counted. */
const PATIENCE = 20;

const context = new AsyncLocalStorage<Recorder>();

function onUncaught(error: NodeJS.ErrnoException): void {
  const recorder = context.getStore();
  if (recorder === undefined) throw error;
  recorder.event('errors', `uncaught ${error.code ?? error.message}`);
}

/** Scenarios run in the scratch project, where the test has made a file of each size. */
function pathOf(size: number): string {
  return resolve('order', String(size));
}

const files = new Map<number, Buffer>();

function fileOf(size: number): Buffer {
  const known = files.get(size);
  if (known !== undefined) return known;
  const bytes = readFileSync(pathOf(size));
  files.set(size, bytes);
  return bytes;
}

/** Megabytes are compared with the file that they mostly are, which is faster than a hash. */
function describeBody(body: Buffer, size: number): string {
  const file = fileOf(size);
  const ahead = body.length - file.length;
  if (ahead >= 0 && ahead < 100 && body.subarray(ahead).equals(file)) {
    return `${JSON.stringify(body.toString('latin1', 0, ahead))}, then the file`;
  }
  return `${body.length} bytes, ${createHash('sha1').update(body).digest('hex')}`;
}

/** A scenario whose connection is to come. */
interface Awaited {
  readonly values: Values;
  readonly recorder: Recorder;
  served?: Promise<void>;
}

/** By a number that the client sends. */
const awaited: Awaited[] = [];

type Destination = Parameters<typeof serve>[3];

function answer(number: number, destination: Destination, socket: Socket): void {
  const one = awaited[number];
  if (one === undefined) throw new Error(`no scenario ${number}`);
  const { values, recorder } = one;
  one.served = context.run(recorder, () => serve(values, recorder, pathOf(values.size), destination, socket));
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // The process ends with its last scenario.
  server.unref();
  return (server.address() as AddressInfo).port;
}

type Ports = Readonly<Record<Values['protocol'], number>>;

/** Starts the servers that serve all scenarios. */
async function start(): Promise<Ports> {
  process.on('uncaughtException', onUncaught);
  const http = createServer((request, response) => answer(Number(request.url?.slice(1)), response, request.socket));
  const raw = createNetServer((socket) => {
    socket.once('data', (line) => answer(Number(line), socket, socket));
  });
  return { http: await portOf(http), raw: await portOf(raw) };
}

let ports: Promise<Ports> | undefined;

interface Talk {
  readonly bytes: Buffer;
  readonly hangs: boolean;
}

function talk(port: number, text: string): Promise<Talk> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let seconds = 0;
  const timer = setInterval(() => {
    if (++seconds === PATIENCE) socket.destroy();
  }, 1000);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // How a connection ends that the server destroys depends on what was under way.
  socket.on('error', () => socket.destroy());
  socket.write(text);
  return new Promise((settle) => {
    socket.once('close', () => {
      clearInterval(timer);
      settle({ bytes: Buffer.concat(chunks), hangs: seconds >= PATIENCE });
    });
  });
}

function noteResponse(bytes: Buffer, recorder: Recorder, size: number): void {
  try {
    const [response, ...more] = parseResponses(bytes, ['GET']);
    recorder.note('head', response?.head ?? []);
    if (response !== undefined) recorder.note('body', describeBody(response.body, size));
    if (more.length > 0) recorder.event('errors', 'more than a response');
  } catch {
    recorder.note('body', 'broken off');
  }
}

async function runScenario(values: Values, recorder: Recorder): Promise<void> {
  const { protocol, size } = values;
  ports ??= start();
  const port = (await ports)[protocol];
  const one: Awaited = { values, recorder };
  const number = awaited.push(one) - 1;
  const text =
    protocol === 'raw' ? `${number}` : `GET /${number} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const { bytes, hangs } = await talk(port, text);
  if (hangs) recorder.note('hangs', true);
  if (protocol === 'raw') recorder.note('body', describeBody(bytes, size));
  else noteResponse(bytes, recorder, size);
  await one.served;
}

export const scenarios: Scenarios = Object.fromEntries(
  allValues().map((values) => [titleOf(values), { run: (recorder) => runScenario(values, recorder) }]),
);
