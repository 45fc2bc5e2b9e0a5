import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The project's directory, seen from build/bench/. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The preload as it is published. */
export const PRELOAD = `${ROOT}dist/register.js`;

/** A module of this directory, to be run as a process of its own. */
export function entry(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}

/** Whether a program is there to be run. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

/** The server and the client each have a core to themselves, so that neither takes time from the other. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

export const canPin = availableParallelism() > 1 && hasProgram('taskset');

/** A command that runs on one core; where that cannot be had, the command as it is. */
export function pinned(core: number, command: readonly string[]): [string, ...string[]] {
  const [program = '', ...rest] = command;
  return canPin ? ['taskset', '-c', String(core), program, ...rest] : [program, ...rest];
}
