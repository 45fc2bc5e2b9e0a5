// A cluster whose workers answer with who they are. WORKERS says how many there are. On SIGUSR2 every worker is replaced, one after the
// other: a new one is forked, and when it listens, the old one disconnects. Then it says so on standard output.

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
  // A primary without the preload, as a process manager is one.
  const { PRELOAD } = process.env;
  if (PRELOAD !== undefined) cluster.setupPrimary({ execArgv: ['--import', PRELOAD] });
  await lead();
} else {
  const answer = `worker-${process.pid}`;
  createServer((_request, response) => response.end(answer)).listen(Number(process.env.PORT ?? 0), '127.0.0.1');
}
