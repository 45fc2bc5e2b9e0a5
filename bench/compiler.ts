import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hasProgram, ROOT } from './machine.js';

export const COMPILER = process.env.CC ?? 'cc';

export const hasCompiler = hasProgram(COMPILER);

/** A program of bench/apps, or of another directory of the project, compiled into a directory. */
export function compile(name: string, directory: string, from = 'bench/apps'): string {
  const program = join(directory, name);
  const source = join(ROOT, from, `${name}.c`);
  const { status } = spawnSync(COMPILER, ['-O2', '-o', program, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${COMPILER} cannot compile ${source}`);
  return program;
}
