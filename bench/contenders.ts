import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { entry, hasProgram, PRELOAD, ROOT } from './machine.js';
import { startNginx } from './nginx.js';
import { type Server, startServer } from './server.js';

/** One of the servers that are compared. */
export interface Contender {
  readonly name: string;
  readonly server: Server;
}

const COMPILER = process.env.CC ?? 'cc';

type Environment = Readonly<Record<string, string>>;

/** An app of ours on Node alone; `under` is a command that runs it, such as a tracer. */
export async function stock(
  app: string,
  environment: Environment = {},
  under: readonly string[] = [],
): Promise<Contender> {
  const command = [...under, process.execPath, entry(app)];
  return { name: 'stock', server: await startServer(command, { environment }) };
}

/** The same app under the preload, with what else it is to have in its environment. */
export async function tuned(
  app: string,
  environment: Environment = {},
  under: readonly string[] = [],
): Promise<Contender> {
  const command = [...under, process.execPath, '--import', PRELOAD, entry(app)];
  return { name: 'tuned', server: await startServer(command, { environment }) };
}

async function nginx(files: string, scratch: string): Promise<Contender> {
  return { name: 'nginx', server: await startNginx(files, join(scratch, 'nginx')) };
}

async function sendfileLoop(files: string, scratch: string): Promise<Contender> {
  const program = join(scratch, 'sendfile-loop');
  const source = join(ROOT, 'bench/apps/sendfile-loop.c');
  const { status } = spawnSync(COMPILER, ['-O2', '-o', program, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${COMPILER} cannot compile ${source}`);
  return { name: 'C loop', server: await startServer([program, files]) };
}

/** What is there on this machine to compare with, and what is not. */
export function others(files: string, scratch: string): { starting: Promise<Contender>[]; missing: string[] } {
  const starting: Promise<Contender>[] = [];
  const missing: string[] = [];
  if (hasProgram('nginx')) starting.push(nginx(files, scratch));
  else missing.push('nginx is not installed: no comparison with it');
  if (hasProgram(COMPILER)) starting.push(sendfileLoop(files, scratch));
  else missing.push(`there is no C compiler (${COMPILER}): no comparison with a bare loop of epoll and sendfile`);
  return { starting, missing };
}
