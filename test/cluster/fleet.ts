/**
 * A cluster whose workers answer with their process's id, and whose primary does what it is told by messages. WORKERS says how many there
 * are at first, PINNED on which CPU each of them runs, WORKERS_PRELOAD that only they are under the preload.
 */
import { execFileSync } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const { WORKERS = '2', PINNED = '', WORKERS_PRELOAD, PORT = '0' } = process.env;
const cpus = PINNED.split(',').filter((cpu) => cpu !== '');

/** CPUs that are taken, by the id of the worker. */
const taken = new Map<number, string>();

async function start(): Promise<Worker> {
  const cpu = cpus.find((candidate) => ![...taken.values()].includes(candidate));
  const worker = cluster.fork(cpu === undefined ? {} : { CPU: cpu });
  if (cpu !== undefined) taken.set(worker.id, cpu);
  worker.once('exit', () => taken.delete(worker.id));
  await once(worker, 'listening');
  return worker;
}

function find(pid: unknown): Worker {
  const worker = Object.values(cluster.workers ?? {}).find((candidate) => candidate?.process.pid === pid);
  if (worker === undefined) throw new Error(`no worker ${pid}`);
  return worker;
}

const ORDERS: Readonly<Record<string, (pid: unknown) => unknown>> = {
  fork: async () => (await start()).process.pid,
  async disconnect(pid) {
    const worker = find(pid);
    const gone = once(worker, 'exit');
    worker.disconnect();
    await gone;
  },
  async kill(pid) {
    const worker = find(pid);
    const gone = once(worker, 'exit');
    worker.process.kill('SIGKILL');
    await gone;
  },
  async replace(pid) {
    const { process: started } = await start();
    await ORDERS.disconnect?.(pid);
    return started.pid;
  },
  end: () => new Promise<void>((resolve) => cluster.disconnect(resolve)),
};

async function lead(): Promise<void> {
  if (WORKERS_PRELOAD !== undefined) cluster.setupPrimary({ execArgv: ['--import', WORKERS_PRELOAD] });
  let port = 0;
  cluster.on('listening', (_, address) => {
    port = address.port;
  });
  const workers: Worker[] = [];
  while (workers.length < Number(WORKERS)) workers.push(await start());
  process.on('message', async ({ name, pid }: { name: string; pid: unknown }) => {
    const answer = await ORDERS[name]?.(pid);
    process.send?.({ done: name, answer });
    if (name === 'end') process.disconnect();
  });
  process.send?.({ done: 'start', answer: { port, pids: workers.map((worker) => worker.process.pid) } });
}

function serve(): void {
  const { CPU } = process.env;
  if (CPU !== undefined) execFileSync('taskset', ['-cp', CPU, String(process.pid)]);
  const server = createServer((_, response) => response.end(String(process.pid)));
  server.listen(Number(PORT), '127.0.0.1');
  // Only a listening process is ready: the fleet waits for it.
  server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

if (cluster.isPrimary) await lead();
else serve();
