import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Directory of the project, from build/bench/. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The published preload. */
export const PRELOAD = `${ROOT}dist/register.js`;

/** A module of this directory that runs as a process. */
export function entry(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}

/** Whether a program is installed. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0;
}

/** Cores of the server and the client: neither takes time from the other. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

export const canPin = availableParallelism() > 1 && hasProgram('taskset');

/** A command, bound to one core where that is possible. */
export function pinned(core: number, command: readonly string[]): [string, ...string[]] {
  const [program = '', ...rest] = command;
  return canPin ? ['taskset', '-c', String(core), program, ...rest] : [program, ...rest];
}

/**
 * Let a process that was bound to a core use all of them. On one core the threads of the pool and the main thread wait for each other;
 * on several they wake each other across cores, as in most servers.
 */
export function unpin(pid: number): void {
  if (canPin) execFileSync('taskset', ['-a', '-p', '-c', `0-${availableParallelism() - 1}`, String(pid)]);
}
