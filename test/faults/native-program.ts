import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { repository, scratchProject } from '../support/scratch-project.js';
import { skip } from '../support/skipped.js';

/** Compile a program of this directory; what the compiler says if it cannot be. */
function compile(name: string): { readonly path: string; readonly problem: string | undefined } {
  const path = join(scratchProject(), name);
  const source = join(repository, 'test/faults', `${name}.c`);
  const { status, stderr, error } = spawnSync('cc', ['-O2', '-Wall', '-o', path, source], { encoding: 'utf8' });
  return { path, problem: status === 0 ? undefined : (error?.message ?? stderr) };
}

/** A program of this directory; without a compiler the test is skipped, but a source that is wrong is an error. */
export function nativeProgram(test: Context, name: string): string {
  if (spawnSync('cc', ['--version']).status !== 0) skip(test, 'there is no cc here');
  const { path, problem } = compile(name);
  if (problem !== undefined) throw new Error(problem);
  return path;
}
