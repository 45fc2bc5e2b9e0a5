import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Report } from '../../src/report/report.js';
import { readReports, reportPattern } from '../support/processes/reports.js';
import { scratchProject } from '../support/processes/scratch-project.js';
import { freePort } from '../support/sockets/free-port.js';
import { environmentOf, WAYS, type Way } from './ways.js';

interface Answer {
  readonly done: string;
  readonly answer: unknown;
}

export interface FleetOptions {
  readonly workers?: number;
  /** CPUs that workers are bound to, each its own. */
  readonly pinned?: readonly number[];
  /** What runs the primary, as `ip netns exec`. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A cluster that runs. See fleet.ts. */
export class Fleet {
  readonly port: number;
  readonly pids: readonly number[];
  readonly #child: ChildProcess;
  readonly #pattern: string;

  constructor(child: ChildProcess, pattern: string, { port, pids }: { port: number; pids: readonly number[] }) {
    this.#child = child;
    this.#pattern = pattern;
    this.port = port;
    this.pids = pids;
  }

  get primary(): number {
    return this.#child.pid ?? 0;
  }

  async order(name: 'fork' | 'disconnect' | 'kill' | 'replace' | 'end', pid?: number): Promise<number> {
    const answered = answerOf(this.#child, name);
    this.#child.send({ name, pid });
    return Number(await answered);
  }

  /** End it. Returns the reports of its processes. */
  async end(): Promise<ReadonlyMap<number, Report>> {
    const gone = once(this.#child, 'exit');
    await this.order('end');
    await gone;
    return readReports(this.#pattern);
  }
}

async function answerOf(child: ChildProcess, name: string): Promise<unknown> {
  for (;;) {
    const [message]: unknown[] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the fleet has ended with ${code}`))),
    ]);
    const { done, answer } = message as Answer;
    if (done === name) return answer;
  }
}

const program = join(import.meta.dirname, 'fleet.js');
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Start a cluster. */
export async function startFleet(
  way: Way,
  { workers = 2, pinned = [], under = [], env = {} }: FleetOptions = {},
): Promise<Fleet> {
  const pattern = reportPattern();
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_)/.test(name));
  const [command, ...rest] = [...under, process.execPath];
  const child = fork(program, {
    execPath: command,
    execArgv: [...rest, ...WAYS[way].preload],
    cwd: scratchProject(),
    env: {
      ...Object.fromEntries(inherited),
      ...environmentOf(way),
      WORKERS: String(workers),
      PINNED: pinned.join(','),
      PORT: String(await freePort()),
      SOCKET_TUNE_REPORT: pattern,
      ...env,
    },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const start = (await answerOf(child, 'start')) as { port: number; pids: readonly number[] };
  return new Fleet(child, pattern, start);
}
