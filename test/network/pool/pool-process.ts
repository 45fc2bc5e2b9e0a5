/**
 * An app with a pool of connections. Between its requests it is too busy to notice that the server closes them.
 *
 *   node [--import socket-tune/register] pool-process.js <client> <requests of each kind> <directory of the certificate>
 */
import { stat } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CLIENTS, type Post } from './clients.js';
import { CLOSINGS, type Closing, type Figures, type Seen, type ServerData } from './stale-pool.js';

const [client = '', count = '', directory = ''] = process.argv.slice(2);
const REQUESTS_AT_ONCE = 3;

/** Where in a turn of the event loop the app is when it goes on. */
const TURNS: readonly (() => Promise<unknown>)[] = [
  async () => undefined,
  () => new Promise((resolve) => setImmediate(resolve)),
  () => new Promise((resolve) => setTimeout(resolve, 1)),
  () => new Promise((resolve) => stat(directory, resolve)),
];

const closed = new SharedArrayBuffer(4);
const flag = new Int32Array(closed);

function answerOf<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/** Have the server close all connections, and hold this thread until the kernel knows. */
function closeMeanwhile(worker: Worker, closing: Closing): void {
  Atomics.store(flag, 0, 0);
  worker.postMessage(closing);
  if (Atomics.wait(flag, 0, 0, 10_000) === 'timed-out') throw new Error('the server has not closed its connections');
}

function causeOf(error: unknown): string {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  return cause === undefined ? (code ?? message) : causeOf(cause);
}

async function run(send: Post, closing: Closing, isSecure: boolean): Promise<Figures> {
  const workerData: ServerData = {
    isSecure,
    key: join(directory, 'key.pem'),
    cert: join(directory, 'cert.pem'),
    closed,
  };
  // Without the preload.
  const worker = new Worker(new URL('closing-server.js', import.meta.url), { workerData, execArgv: [], env: {} });
  const port = await answerOf<number>(worker);
  const url = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}/`;
  const failed: Record<string, number> = {};
  const attempt = async (body: string): Promise<void> => {
    const outcome = await send(url, body).then((status) => (status === 200 ? undefined : `status ${status}`), causeOf);
    if (outcome !== undefined) failed[outcome] = (failed[outcome] ?? 0) + 1;
  };
  let sent = 0;
  for (let round = 0; sent < Number(count); round++) {
    const bodies = Array.from({ length: REQUESTS_AT_ONCE }, () => String(sent++));
    await Promise.all(bodies.map(attempt));
    await TURNS[(round >> 1) % TURNS.length]?.();
    if (round % 2 === 0) closeMeanwhile(worker, closing);
  }
  worker.postMessage('seen');
  const seen = await answerOf<Seen>(worker);
  await worker.terminate();
  return { client, closing, isSecure, sent, failed, ...seen };
}

const post = await CLIENTS[client]?.();
if (post === undefined) throw new Error(`no client ${client}`);
for (const isSecure of [false, true]) {
  for (const closing of CLOSINGS) console.log(JSON.stringify(await run(post, closing, isSecure)));
}
process.exit();
