import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { pinned, SERVER_CORE } from './machine.js';

/** Length of the kernel's clock ticks in /proc (USER_HZ), the same on all common architectures. */
const TICK_SECONDS = 0.01;

/** A server in a process and on a core of its own. */
export interface Server {
  readonly port: number;
  /** CPU time that the process and its threads have used so far, to 10 ms. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Fields of /proc/PID/stat after the program's name, which may hold anything: utime is the 14th, stime the 15th of all. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
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
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const environment = { ...process.env, ...options.environment };
  const child = spawn(program, rest, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  const end = (): boolean => child.kill('SIGTERM');
  process.prependOnceListener('exit', end);
  child.once('exit', () => process.off('exit', end));
  return {
    port: options.port ?? (await announcedPort(child)),
    cpuSeconds: () => cpuSecondsOf(pid),
    async stop() {
      if (child.exitCode !== null) return;
      const exit = once(child, 'exit');
      end();
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
