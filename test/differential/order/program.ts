/**
 * Plays scenarios, some at a time, and writes down what came of each:
 *
 *   node [--import socket-tune/register] program.js <directory of files> <JSON of scenarios> <file for the outcomes>
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Server } from 'node:net';
import { join } from 'node:path';
import { parseResponses } from '../../support/sockets/http-wire.js';
import { newOutcome, type Outcome } from './outcome.js';
import type { Scenario } from './scenario.js';
import { serve } from './serve.js';

const [directory = '', list = '', output = ''] = process.argv.slice(2);
const scenarios = JSON.parse(readFileSync(list, 'utf8')) as Scenario[];
const outcomes: Outcome[] = scenarios.map(newOutcome);
const served = new Map<number, Promise<void>>();

const LANES = 6;

/** Seconds for one exchange; those in which this process had no turn are not counted. */
const PATIENCE = 20;

const context = new AsyncLocalStorage<Outcome>();
process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  const outcome = context.getStore();
  if (outcome === undefined) throw error;
  outcome.errors.push(`uncaught ${error.code ?? error.message}`);
});

const files = new Map<number, Buffer>();

function fileOf(size: number): Buffer {
  const known = files.get(size);
  if (known !== undefined) return known;
  const bytes = readFileSync(join(directory, String(size)));
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

function answer(index: number, act: (scenario: Scenario, outcome: Outcome, path: string) => Promise<void>): void {
  const [scenario, outcome] = [scenarios[index], outcomes[index]];
  if (scenario === undefined || outcome === undefined) throw new Error(`no scenario ${index}`);
  const path = join(directory, String(scenario.size));
  served.set(
    index,
    context.run(outcome, () => act(scenario, outcome, path)),
  );
}

const http = createServer((request, response) => {
  answer(Number(request.url?.slice(1)), (scenario, outcome, path) =>
    serve(scenario, outcome, path, response, request.socket),
  );
});

const raw = createNetServer((socket) => {
  socket.once('data', (line) => {
    answer(Number(line), (scenario, outcome, path) => serve(scenario, outcome, path, socket, socket));
  });
});

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

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
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearInterval(timer);
      resolve({ bytes: Buffer.concat(chunks), hangs: seconds >= PATIENCE });
    });
  });
}

function noteResponse(bytes: Buffer, outcome: Outcome, size: number): void {
  try {
    const [response, ...more] = parseResponses(bytes, ['GET']);
    outcome.head = response?.head ?? [];
    if (response !== undefined) outcome.body = describeBody(response.body, size);
    if (more.length > 0) outcome.errors.push('more than a response');
  } catch {
    outcome.body = 'broken off';
  }
}

const ports = { http: await listening(http), raw: await listening(raw) };

async function play(index: number, { protocol, size }: Scenario, outcome: Outcome): Promise<void> {
  const text =
    protocol === 'raw' ? `${index}` : `GET /${index} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  const { bytes, hangs } = await talk(ports[protocol], text);
  if (hangs) outcome.hangs = true;
  if (protocol === 'raw') outcome.body = describeBody(bytes, size);
  else noteResponse(bytes, outcome, size);
  await served.get(index);
}

const turns = scenarios.entries();
await Promise.all(
  Array.from({ length: LANES }, async () => {
    for (const [index, scenario] of turns) await play(index, scenario, outcomes[index] ?? newOutcome());
  }),
);
http.close();
raw.close();
writeFileSync(output, JSON.stringify(outcomes));
