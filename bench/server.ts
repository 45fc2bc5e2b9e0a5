import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned, SERVER_CORE } from './machine.js';
import { cpuClock, type Holding, holding } from './process-usage.js';

/** A server in a process and on a core of its own. */
export interface Server {
  readonly port: number;
  /** CPU time that the process and its threads have used so far. */
  cpuSeconds(): number;
  holding(): Holding;
  /** Wait until it has nothing more to do. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

const IDLE_MILLISECONDS = 5;
/** A server that does nothing, but whose runtime looks after itself now and then. */
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

/** Servers do not outlive this process. */
const running = new Set<ChildProcess>();
process.prependOnceListener('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** A process that serves. */
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
      // Whoever was ended by a signal has no exit code.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** The port that a server writes to its standard output, as the first line, when it listens. */
async function announcedPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('no standard output');
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.join(' ')} has ended`);
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), ended]);
  return Number.parseInt(String(line), 10);
}

/**
 * Start a server, on its core.
 *
 * @param port where it listens, if it does not say so itself
 */
export async function startServer(
  command: readonly string[],
  options: { readonly port?: number; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Server> {
  const { child, pid, stop } = startProcess(pinned(SERVER_CORE, command), options.environment);
  const cpuSeconds = cpuClock(pid);
  return {
    port: options.port ?? (await announcedPort(child)),
    cpuSeconds,
    holding: () => holding(pid),
    idle: () => idle(cpuSeconds),
    stop,
  };
}

/** Start some, have them used, and stop them in any case, also where not all of them have started. */
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

/** Start servers, have them used, and stop them in any case. */
export function withServers<S extends { readonly server: Server }, T>(
  starting: readonly Promise<S>[],
  use: (servers: readonly S[]) => Promise<T>,
): Promise<T> {
  return withStarted(starting, ({ server }) => server.stop(), use);
}
