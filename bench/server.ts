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
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const environment = { ...process.env, ...options.environment };
  const child = spawn(program, rest, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const cpuSeconds = cpuClock(pid);
  return {
    port: options.port ?? (await announcedPort(child)),
    cpuSeconds,
    holding: () => holding(pid),
    idle: () => idle(cpuSeconds),
    async stop() {
      // Whoever was ended by a signal has no exit code.
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** Start servers, have them used, and stop them in any case. */
export async function withServers<S extends { readonly server: Server }, T>(
  starting: readonly Promise<S>[],
  use: (servers: readonly S[]) => Promise<T>,
): Promise<T> {
  const settled = await Promise.allSettled(starting);
  const servers = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    for (const result of settled) if (result.status === 'rejected') throw result.reason;
    return await use(servers);
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()));
  }
}
