// A cluster whose workers answer with their ids. WORKERS is their number. On SIGUSR2 every worker is replaced, one after the
// other: the primary forks a new one; when that listens, the old one disconnects. A line on standard output says when all are done.

import cluster, { type Address, type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';

async function ready(worker: Worker): Promise<Address> {
  const [address]: Address[] = await once(worker, 'listening');
  if (address === undefined) throw new Error('a worker listens nowhere');
  return address;
}

async function replaceAll(): Promise<void> {
  for (const old of Object.values(cluster.workers ?? {})) {
    if (old === undefined) continue;
    await ready(cluster.fork());
    const gone = once(old, 'exit');
    old.disconnect();
    await gone;
  }
}

async function lead(): Promise<void> {
  const workers = Array.from({ length: Number(process.env.WORKERS ?? 2) }, () => cluster.fork());
  const [first] = await Promise.all(workers.map((worker) => ready(worker)));
  process.on('SIGUSR2', async () => {
    await replaceAll();
    console.log('replaced');
  });
  console.log(first?.port);
}

if (cluster.isPrimary) {
  // A primary without the preload, like a process manager.
  const { PRELOAD } = process.env;
  if (PRELOAD !== undefined) cluster.setupPrimary({ execArgv: ['--import', PRELOAD] });
  await lead();
} else {
  const answer = `worker-${process.pid}`;
  createServer((_request, response) => response.end(answer)).listen(Number(process.env.PORT ?? 0), '127.0.0.1');
}
