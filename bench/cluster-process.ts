import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { entry, PRELOAD } from './machine.js';
import { cpuClock } from './process-usage.js';

const run = promisify(execFile);

/** Who has the preload: nobody, all processes of the cluster, or only its workers, as under a process manager. */
export type Preloaded = 'nobody' | 'all' | 'workers';

/** How one run of bench/apps/short-connections.c went. */
export interface ShortConnections {
  readonly seconds: number;
  readonly answered: number;
  readonly refused: number;
  readonly reset: number;
  /** Answers without a body, and failures of any other kind. */
  readonly empty: number;
  readonly other: number;
  /** Answered after more than 0.9 s: their SYN had to be sent again. */
  readonly slow: number;
  /** Microseconds from connect(2) to the end of the answer. */
  readonly p50: number;
  readonly p99: number;
  /** Answers by the worker that gave them. */
  readonly servers: Readonly<Record<string, number>>;
}

/** A cluster of two workers, bench/apps/cluster.ts, on whatever cores the system gives it. */
export interface ClusterProcess {
  readonly name: string;
  /** CPU time of the primary and its workers so far, in seconds. */
  cpuSeconds(): number;
  /** Have connections with one request each, some at a time. */
  connect(client: string, concurrent: number, connections: number): Promise<ShortConnections>;
  /** Replace every worker. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function children(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return listed === '' ? [] : listed.split(' ').map(Number);
}

async function line(lines: Interface, child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} has ended`);
  });
  const [text]: string[] = await Promise.race([once(lines, 'line'), ended]);
  return text ?? '';
}

/** Clusters do not outlive this process. */
const running = new Set<ChildProcess>();
process.prependOnceListener('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

export async function startCluster(
  name: string,
  preloaded: Preloaded,
  variables: Readonly<Record<string, string>>,
): Promise<ClusterProcess> {
  const preload = preloaded === 'all' ? ['--import', PRELOAD] : [];
  const environment = { ...process.env, ...variables, ...(preloaded === 'workers' ? { PRELOAD } : {}) };
  const child = spawn(process.execPath, [...preload, entry('apps/cluster')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const { pid, stdout } = child;
  if (pid === undefined) throw new Error(`${process.execPath} cannot be started`);
  const lines = createInterface(stdout);
  const port = await line(lines, child);
  const clocks = [pid, ...children(pid)].map(cpuClock);
  return {
    name,
    cpuSeconds: () => clocks.reduce((sum, seconds) => sum + seconds(), 0),
    async connect(client, concurrent, connections) {
      const { stdout: text } = await run(client, [port, String(concurrent), String(connections)]);
      return JSON.parse(text);
    },
    async restart() {
      child.kill('SIGUSR2');
      await line(lines, child);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}
