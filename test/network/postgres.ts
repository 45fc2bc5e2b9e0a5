import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';
import type { Network } from './network.js';

/** Where Debian has its versions. */
const VERSIONS = '/usr/lib/postgresql';

/** It does not run as root. */
const AS_POSTGRES = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];

export interface Database {
  readonly host: string;
  readonly port: number;
  close(): void;
}

/** Where its programs are; undefined where it is not installed. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

function run(command: readonly string[]): void {
  const [program = '', ...args] = command;
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: '/' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}`);
}

/** A PostgreSQL server with nothing in it, in the network that is given. */
export async function startPostgres(network: Network): Promise<Database> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('PostgreSQL is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'));
  run(['chown', 'postgres', directory]);
  const data = join(directory, 'data');
  run([...AS_POSTGRES, join(programs, 'initdb'), '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync']);
  appendFileSync(join(data, 'pg_hba.conf'), 'host all all 198.18.0.0/15 trust\n');
  const port = 5432;
  const server = [join(programs, 'postgres'), '-D', data, '-h', network.address, '-p', String(port), '-k', directory];
  const [program = '', ...args] = [...network.there, ...AS_POSTGRES, ...server, '-F'];
  const child = spawn(program, args, { stdio: 'ignore', cwd: '/' });
  const close = (): void => {
    process.off('exit', close);
    child.kill('SIGQUIT');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  process.once('exit', close);
  await untilAnswering(network.address, port);
  return { host: network.address, port, close };
}

async function untilAnswering(host: string, port: number): Promise<void> {
  const isAnswering = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, host);
      const settle = (answer: boolean): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.once('connect', () => settle(true)).once('error', () => settle(false));
    });
  await until(`PostgreSQL answers at ${host}:${port}`, isAnswering);
}
