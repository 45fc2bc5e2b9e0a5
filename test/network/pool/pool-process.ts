/**
 * An app with a pool of connections. Between its requests it is too busy to notice that the server closes them.
 *
 *   node [--import socket-tune/register] pool-process.js <client> <requests of each kind> <directory of the certificate>
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, stat } from 'node:fs';
import { join } from 'node:path';
import { ANSWER_HOLDS_MS } from '../../../src/hooks/requests/pool-guard.js';
import { CLIENTS, type Post } from './clients.js';
import { CLOSINGS, type Closing, type Figures, type Seen } from './stale-pool.js';

const [client = '', count = '', directory = ''] = process.argv.slice(2);
const REQUESTS_AT_ONCE = 3;

/** Where in a turn of the event loop the app is when it goes on. */
const TURNS: readonly (() => Promise<unknown>)[] = [
  async () => undefined,
  () => new Promise((resolve) => setImmediate(resolve)),
  () => new Promise((resolve) => setTimeout(resolve, 1)),
  () => new Promise((resolve) => stat(directory, resolve)),
];

/** include/net/tcp_states.h, as in /proc/net/tcp. */
const ESTABLISHED = '01';

/** Whether a connection to a port of this machine is still open, as far as the kernel has told our end. */
function hasOpen(port: number): boolean {
  const peer = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  return rows.some(([, , remote = '', state]) => remote.endsWith(peer) && state === ESTABLISHED);
}

function answerOf<T>(server: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) =>
    server.once('message', (message) => resolve(message as T)).once('error', reject),
  );
}

/** Have the server close all connections, and hold this thread until the kernel knows, and would be asked again. */
function closeMeanwhile(server: ChildProcess, port: number, closing: Closing): void {
  server.send(closing);
  const began = performance.now();
  const lasts = (): number => performance.now() - began;
  while (hasOpen(port)) if (lasts() > 10_000) throw new Error('the server has not closed its connections');
  while (lasts() < 2 * ANSWER_HOLDS_MS);
}

function causeOf(error: unknown): string {
  const { code, message, cause } = error as NodeJS.ErrnoException;
  return cause === undefined ? (code ?? message) : causeOf(cause);
}

async function run(send: Post, closing: Closing, isSecure: boolean): Promise<Figures> {
  const program = join(import.meta.dirname, 'closing-server.js');
  // Without the preload.
  const server = fork(program, [isSecure ? 'secure' : 'plain', directory], { execArgv: [], env: {} });
  const port = await answerOf<number>(server);
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
    if (round % 2 === 0) closeMeanwhile(server, port, closing);
  }
  server.send('seen');
  const seen = await answerOf<Seen>(server);
  server.disconnect();
  return { client, closing, isSecure, sent, failed, ...seen };
}

const post = await CLIENTS[client]?.();
if (post === undefined) throw new Error(`no client ${client}`);
for (const isSecure of [false, true]) {
  for (const closing of CLOSINGS) console.log(JSON.stringify(await run(post, closing, isSecure)));
}
process.exit();
