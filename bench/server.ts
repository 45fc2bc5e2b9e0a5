import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned, SERVER_CORE } from './machine.js';
import { cpuClock, type Holding, holding } from './process-usage.js';

/** Server with a process and a core of its own. */
export interface Server {
  readonly pid: number;
  readonly port: number;
  /** CPU time of the process and its threads so far. */
  cpuSeconds(): number;
  holding(): Holding;
  /** Wait until it is idle. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

const IDLE_MILLISECONDS = 5;
/** CPU share of an idle server, whose runtime does some work of its own. */
const IDLE_SHARE = 0.1;
const MOST_MILLISECONDS = 2000;

async function idle(cpuSeconds: () => number): Promise<void> {
  const start = performance.now();
  for (let last = cpuSeconds(); performance.now() - start < MOST_MILLISECONDS; ) {
    await sleep(IDLE_MILLISECONDS);
    const now = cpuSeconds();
    if (now - last < (IDLE_SHARE * IDLE_MILLISECONDS) / 1e3) return;
    last = now;
  }
}

/** Servers that end with this process. */
const running = new Set<ChildProcess>();
process.prependOnceListener('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** Process of a server. */
export interface ServingProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  stop(): Promise<void>;
}

export function startProcess(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ServingProcess {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  return {
    child,
    pid,
    async stop() {
      // A process that a signal ended has no exit code.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** Port of a server: the first line of its standard output, once it listens. */
async function announcedPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no standard output');
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} has ended`);
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), ended]);
  return Number.parseInt(String(line), 10);
}

/**
 * Start a server on its core.
 *
 * @param port of the server, if it does not print one
 */
export async function startServer(
  command: readonly string[],
  options: { readonly port?: number; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Server> {
  const { child, pid, stop } = startProcess(pinned(SERVER_CORE, command), options.environment);
  const cpuSeconds = cpuClock(pid);
  return {
    pid,
    port: options.port ?? (await announcedPort(child)),
    cpuSeconds,
    holding: () => holding(pid),
    idle: () => idle(cpuSeconds),
    stop,
  };
}

/** Start servers, run `use`, and stop them in any case, even if some did not start. */
export async function withStarted<S, T>(
  starting: readonly Promise<S>[],
  stop: (started: S) => Promise<void>,
  use: (started: readonly S[]) => Promise<T>,
): Promise<T> {
  const settled = await Promise.allSettled(starting);
  const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
    return await use(started);
  } finally {
    await Promise.all(started.map(stop));
  }
}

/** Run `use` with servers, and stop them in any case. */
export function withServers<S extends { readonly server: Server }, T>(
  starting: readonly Promise<S>[],
  use: (servers: readonly S[]) => Promise<T>,
): Promise<T> {
  return withStarted(starting, ({ server }) => server.stop(), use);
}
