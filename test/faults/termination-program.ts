/**
 * Ends workers that are sending a file, over and over, from outside and by their own process.exit(), and prints how many
 * descriptors that has cost.
 *
 *   node [--import socket-tune/register] termination-program.js <file> <times>
 */
import { once } from 'node:events';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { get, open } from './talk.js';

const [file = '', times = '0'] = process.argv.slice(2);

function serveInWorker(): void {
  const { size } = statSync(file);
  const server = createServer((request, response) => {
    response.setHeader('content-length', size);
    const stream = createReadStream(file);
    stream.pipe(response);
    if (request.url === '/chunked') response.removeHeader('content-length');
    // In the middle of it, wherever that is.
    if (request.url === '/exit') response.once('drain', () => setTimeout(() => process.exit(), Math.random() * 2));
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

/** @returns whether the client had all of the file by then */
async function terminateOne(index: number): Promise<boolean> {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const exit = once(worker, 'exit');
  const [port] = (await once(worker, 'message')) as [number];
  const client = open(port);
  let received = 0;
  client.on('error', () => client.destroy());
  client.on('data', (piece: Buffer) => {
    received += piece.length;
  });
  client.write(get(['/chunked', '/exit', '/length'][index % 3] ?? '/'));
  if (index % 3 !== 1) {
    await once(client, 'data');
    setTimeout(() => worker.terminate(), Math.random() * 2);
  }
  await exit;
  if (!client.destroyed) await once(client, 'close');
  return received > statSync(file).size;
}

async function terminateAll(): Promise<void> {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  for (let index = 0; index < 6; index++) await terminateOne(index);
  const before = descriptors();
  let whole = 0;
  for (let index = 0; index < Number(times); index++) if (await terminateOne(index)) whole++;
  console.log(JSON.stringify({ terminations: Number(times), whole, descriptors: descriptors() - before }));
}

if (isMainThread) await terminateAll();
else serveInWorker();
