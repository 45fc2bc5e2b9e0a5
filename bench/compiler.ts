import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasProgram } from './machine.js';

export const COMPILER = process.env.CC ?? 'cc';

export const hasCompiler = hasProgram(COMPILER);

/** Compile a C program of bench/apps, or of another directory in bench, into a directory. */
export function compile(name: string, directory: string, from = 'apps'): string {
  const program = join(directory, name);
  // The build copies C sources beside its output.
  const source = fileURLToPath(new URL(`${from}/${name}.c`, import.meta.url));
  const { status } = spawnSync(COMPILER, ['-O2', '-o', program, source], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${COMPILER} cannot compile ${source}`);
  return program;
}
