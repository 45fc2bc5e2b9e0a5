import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.js';

/** How a database is started with nothing in it. */
interface Installation {
  /** Of Debian's package. */
  readonly program: string;
  readonly port: number;
  /** Make its files, if it does not by itself. */
  readonly prepare?: (directory: string) => readonly string[];
  readonly options: (directory: string, address: string, port: number) => readonly string[];
}

const OWNED_BY_ROOT = ['--no-defaults', '--user=root'] as const;

/** The databases, by the packages of npm that connect to them. */
export const DATABASES = {
  ioredis: {
    program: '/usr/bin/redis-server',
    port: 6379,
    options: (directory, address, port) =>
      ['--bind', address, '--port', String(port), '--protected-mode', 'no', '--save', '', '--dir', directory] as const,
  },
  mysql2: {
    program: '/usr/sbin/mariadbd',
    port: 3306,
    prepare: (directory) =>
      ['mariadb-install-db', ...OWNED_BY_ROOT, `--datadir=${join(directory, 'data')}`, '--skip-test-db'] as const,
    options: (directory, address, port) =>
      [
        ...OWNED_BY_ROOT,
        `--datadir=${join(directory, 'data')}`,
        `--bind-address=${address}`,
        `--port=${port}`,
        `--socket=${join(directory, 'socket')}`,
        '--skip-grant-tables',
        '--skip-name-resolve',
      ] as const,
  },
} as const satisfies Readonly<Record<string, Installation>>;

export type Driver = keyof typeof DATABASES;

export function isInstalled(driver: Driver): boolean {
  return existsSync(DATABASES[driver].program);
}

/** A database that runs. */
export interface Database {
  readonly port: number;
  readonly child: ChildProcess;
  close(): void;
}

function isAnswering(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, address);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

/** A directory with a database that has nothing in it. */
export function prepareDatabase(driver: Driver): string {
  const { prepare }: Installation = DATABASES[driver];
  const directory = mkdtempSync(join(tmpdir(), `${driver}-`));
  const [program, ...args] = prepare?.(directory) ?? [];
  if (program === undefined) return directory;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
  return directory;
}

/**
 * Start a database at an address.
 *
 * @param directory of {@link prepareDatabase}
 * @param under what runs a program there
 */
export async function startDatabase(
  driver: Driver,
  directory: string,
  address: string,
  under: readonly string[],
): Promise<Database> {
  const { program, port, options }: Installation = DATABASES[driver];
  const [command = '', ...args] = [...under, program, ...options(directory, address, port)];
  const child = spawn(command, args, { stdio: 'ignore' });
  const close = (): void => {
    process.off('exit', close);
    child.kill('SIGKILL');
  };
  process.once('exit', close);
  try {
    await until(`${program} answers at ${address}:${port}`, () => isAnswering(address, port));
  } catch (error) {
    close();
    throw error;
  }
  return { port, child, close };
}
