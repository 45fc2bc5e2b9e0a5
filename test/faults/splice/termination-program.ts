/**
 * Ends workers over and over, from outside and by their own process.exit(), while they pipe sockets into each other, and prints what that
 * has cost.
 *
 *   node [--import socket-tune/register] termination-program.js <times> <stock | tuned>
 */
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { Report } from '../../../src/report/report.js';
import { content } from '../../support/files/content.js';
import { kernelPipes } from '../../support/test-run/descriptors.js';
import { open } from '../talk.js';
import { sending } from './proxied.js';

const [times = '0', mode = 'stock'] = process.argv.slice(2);
const BYTES = content(32 << 20);

/** In the middle of the bytes. */
const MIDDLE = 4 << 20;

/** The report of this thread, of the package that the preload is of. */
function ownStats(): () => Report | undefined {
  if (mode === 'stock') return () => undefined;
  const { stats }: { stats: () => Report } = createRequire(join(process.cwd(), 'app.js'))('socket-tune');
  return stats;
}

async function proxyInWorker(): Promise<void> {
  const stats = ownStats();
  let isExiting = false;
  parentPort?.once('message', ({ target, exits }: { target: number; exits: boolean }) => {
    isExiting = exits;
    const server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
      client.pipe(upstream);
      upstream.pipe(client);
      const look = (): void => {
        if (upstream.bytesRead < MIDDLE) return void setImmediate(look);
        parentPort?.postMessage({ spliced: stats()?.splices.bytes ?? 0 });
        if (isExiting) setTimeout(() => process.exit(), Math.random() * 2);
      };
      look();
    });
    server.listen(0, '127.0.0.1', () => parentPort?.postMessage({ port: (server.address() as AddressInfo).port }));
  });
}

/** How one worker came to its end. */
interface End {
  readonly isWhole: boolean;
  /** What has come is what was sent, as far as it goes. */
  readonly isRight: boolean;
  readonly spliced: number;
}

async function endOne(index: number, target: number): Promise<End> {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const exit = once(worker, 'exit');
  const exits = index % 3 === 1;
  worker.postMessage({ target, exits });
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }];
  const client = open(port);
  const chunks: Buffer[] = [];
  client.on('error', () => client.destroy()).on('data', (chunk: Buffer) => chunks.push(chunk));
  client.write('go');
  const [{ spliced }] = (await once(worker, 'message')) as [{ spliced: number }];
  if (!exits) setTimeout(() => worker.terminate(), Math.random() * 2);
  await exit;
  if (!client.destroyed) await once(client, 'close');
  const bytes = Buffer.concat(chunks);
  return {
    isWhole: bytes.length === BYTES.length,
    isRight: bytes.equals(BYTES.subarray(0, bytes.length)),
    spliced,
  };
}

/** Descriptors of sockets and of kernel pipes. Handles of worker threads come and go with pipes of their own. */
async function descriptors(): Promise<{ sockets: number; pipes: number }> {
  await new Promise((resolve) => setTimeout(resolve, 200));
  const sockets = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // That of the listing itself.
      return false;
    }
  });
  return { sockets: sockets.length, pipes: kernelPipes() };
}

async function endAll(): Promise<void> {
  const target = sending(BYTES).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const { port } = target.address() as AddressInfo;
  for (let index = 0; index < 6; index++) await endOne(index, port);
  const before = await descriptors();
  const ends: End[] = [];
  for (let index = 0; index < Number(times); index++) ends.push(await endOne(index, port));
  const after = await descriptors();
  const figures = {
    terminations: ends.length,
    whole: ends.filter(({ isWhole }) => isWhole).length,
    wrong: ends.filter(({ isRight }) => !isRight).length,
    spliced: ends.filter(({ spliced }) => spliced > 0).length,
    sockets: after.sockets - before.sockets,
    pipes: after.pipes - before.pipes,
  };
  console.log(JSON.stringify(figures));
  target.close();
}

if (isMainThread) await endAll();
else await proxyInWorker();
