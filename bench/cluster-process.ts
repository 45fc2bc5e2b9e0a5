import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { COMPILER } from './compiler.js';
import { lineReader } from './lines.js';
import { entry, PRELOAD } from './machine.js';
import { cpuClock } from './process-usage.js';
import type { Result } from './scenario.js';
import { startProcess, withStarted } from './server.js';

const run = promisify(execFile);

/** Processes with the preload: none, all, or only the workers, as under a process manager. */
export type Preloaded = 'nobody' | 'all' | 'workers';

/** Result of one run of bench/apps/short-connections.c. */
export interface ShortConnections {
  readonly seconds: number;
  readonly answered: number;
  readonly refused: number;
  readonly reset: number;
  /** Answers without a body, and all other failures. */
  readonly empty: number;
  readonly other: number;
  /** Answers after more than 0.9 s: their SYN was retransmitted. */
  readonly slow: number;
  /** Microseconds from connect(2) to the end of the answer, of each. */
  readonly p50: number;
  readonly p99: number;
  /** Number of answers, by worker. */
  readonly servers: Readonly<Record<string, number>>;
}

/** Cluster of two workers (bench/apps/cluster.ts), on any cores. */
export interface ClusterProcess {
  readonly name: string;
  /** CPU seconds of the primary and its workers so far. */
  cpuSeconds(): number;
  /** Make connections with one request each, several at a time. */
  connect(client: string, concurrent: number, connections: number): Promise<ShortConnections>;
  /** Replace every worker. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function children(pid: number): number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return listed === '' ? [] : listed.split(' ').map(Number);
}

export async function startCluster(
  name: string,
  preloaded: Preloaded,
  variables: Readonly<Record<string, string>>,
): Promise<ClusterProcess> {
  const preload = preloaded === 'all' ? ['--import', PRELOAD] : [];
  const command = [process.execPath, ...preload, entry('apps/cluster')];
  const { child, pid, stop } = startProcess(command, { ...variables, ...(preloaded === 'workers' ? { PRELOAD } : {}) });
  const line = lineReader(child);
  const port = await line();
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
      await line();
    },
    stop,
  };
}

/** Run `use` with clusters, and stop them in any case. */
export function withClusters<T>(
  starting: readonly Promise<ClusterProcess>[],
  use: (clusters: readonly ClusterProcess[]) => Promise<T>,
): Promise<T> {
  return withStarted(starting, (cluster) => cluster.stop(), use);
}

/** Result without a C compiler for the client. */
export const NO_CLIENT: Result = {
  tables: [],
  notes: [`there is no C compiler (${COMPILER}) for the client: not measured`],
};
