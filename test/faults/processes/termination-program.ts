/**
 * Ends workers over and over, from outside and by their own process.exit(), while they send a file or while they listen, and prints what
 * that has cost.
 *
 *   node [--import socket-tune/register] termination-program.js <file> <times> <transfer | idle> <stock | tuned>
 */
import { once } from 'node:events';
import { createReadStream, readdirSync, readlinkSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Report } from '../../../src/report/report.js';
import { get, open } from '../talk.js';

const [file = '', times = '0', how = 'transfer', mode = 'stock'] = process.argv.slice(2);

/** What a worker says of itself. */
type Word = { readonly port: number } | { readonly sent: number; readonly connections: number };

/** The report of this thread, of the package that the preload is of. */
function ownStats(): () => Report | undefined {
  if (mode === 'stock') return () => undefined;
  const { stats }: { stats: () => Report } = createRequire(join(process.cwd(), 'app.js'))('socket-tune');
  return stats;
}

async function serveInWorker(): Promise<void> {
  const stats = ownStats();
  const say = (word: Word): void => parentPort?.postMessage(word);
  const { size } = statSync(file);
  const server = createServer((request, response) => {
    response.setHeader('content-length', size);
    const stream = createReadStream(file);
    stream.pipe(response);
    if (request.url === '/chunked') response.removeHeader('content-length');
    // In the middle of it, wherever that is.
    response.once('drain', () => {
      const report = stats();
      say({ sent: report?.files.sendfileBytes ?? 0, connections: report?.connections ?? 0 });
      if (request.url === '/exit') setTimeout(() => process.exit(), Math.random() * 2);
    });
  });
  server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
}

/** How one worker came to its end. */
interface End {
  /** All of the file had arrived by then. */
  readonly isWhole: boolean;
  /** Bytes that it had sent by sendfile, of which it knew. */
  readonly sent: number;
  /** Connections that it had accepted and tuned. */
  readonly connections: number;
}

async function listening(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }];
  return { worker, port };
}

async function endInTransfer(index: number): Promise<End> {
  const { worker, port } = await listening();
  const exit = once(worker, 'exit');
  const client = open(port);
  let received = 0;
  client.on('error', () => client.destroy());
  client.on('data', (piece: Buffer) => {
    received += piece.length;
  });
  client.write(get(['/chunked', '/exit', '/length'][index % 3] ?? '/'));
  const [{ sent, connections }] = (await once(worker, 'message')) as [{ sent: number; connections: number }];
  if (index % 3 !== 1) setTimeout(() => worker.terminate(), Math.random() * 2);
  await exit;
  if (!client.destroyed) await once(client, 'close');
  return { isWhole: received > statSync(file).size, sent, connections };
}

/** While it listens: with nobody there, with an idle connection, with one that is about to be accepted. */
async function endWhileListening(index: number): Promise<End> {
  const { worker, port } = await listening();
  const client = index % 3 === 0 ? undefined : open(port);
  client?.on('error', () => client.destroy());
  if (client !== undefined && index % 3 === 1) {
    await once(client, 'connect');
    client.write('GET / HT');
    await new Promise(setImmediate);
  }
  await worker.terminate();
  client?.destroy();
  if (client !== undefined && !client.closed) await once(client, 'close');
  return { isWhole: false, sent: 0, connections: 0 };
}

const endOne = how === 'idle' ? endWhileListening : endInTransfer;

function descriptors(): { readonly fds: number; readonly sockets: number } {
  const fds = readdirSync('/proc/self/fd');
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // That of the listing itself.
      return false;
    }
  };
  return { fds: fds.length, sockets: fds.filter(isSocket).length };
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function memory(): Promise<number> {
  for (let round = 0; round < 2; round++) {
    await new Promise(setImmediate);
    collectGarbage();
  }
  return process.memoryUsage().rss;
}

async function endAll(): Promise<void> {
  for (let index = 0; index < 12; index++) await endOne(index);
  const before = descriptors();
  const ends: End[] = [];
  const rss: number[] = [await memory()];
  const samples = 4;
  for (let index = 0; index < Number(times); index++) {
    ends.push(await endOne(index));
    if ((index + 1) % Math.ceil(Number(times) / samples) === 0) rss.push(await memory());
  }
  const after = descriptors();
  const figures = {
    terminations: ends.length,
    whole: ends.filter(({ isWhole }) => isWhole).length,
    bySendfile: ends.filter(({ sent }) => sent > 0).length,
    tuned: ends.filter(({ connections }) => connections > 0).length,
    descriptors: after.fds - before.fds,
    sockets: after.sockets - before.sockets,
    rss: rss.map((bytes) => Math.round(bytes / 1024)),
  };
  console.log(JSON.stringify(figures));
}

if (isMainThread) await endAll();
else await serveInWorker();
