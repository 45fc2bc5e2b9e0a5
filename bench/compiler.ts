import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram } from './machine.js';

export const COMPILER = process.env.CC ?? 'cc';

export const hasCompiler = hasProgram(COMPILER);

/** A program of bench/apps, or of another directory in bench, compiled into a directory. */
export function compile(name: string, directory: string, from = 'apps'): string {
  const program = join(directory, name);
  // The build puts sources beside what it compiles.
  const source = fileURLToPath(new URL(`${from}/${name}.c`, import.meta.url));
  const { status } = spawnSync(COMPILER, ['-O2', '-o', program, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${COMPILER} cannot compile ${source}`);
  return program;
}
