import { spawnSync } from 'node:child_process';
import { basename, join } from 'node:path';
import type { Context } from 'mocha';
import { repository, scratchProject } from '../../support/processes/scratch-project.js';
import { skip } from '../../support/test-run/skipped.js';

/** Compiles a C source, and says what the compiler says if that fails. */
function compile(source: string): { readonly path: string; readonly problem: string | undefined } {
  const path = join(scratchProject(), basename(source, '.c'));
  const { status, stderr, error } = spawnSync(
    'cc',
    ['-O2', '-Wall', '-o', path, join(repository, 'test/faults', source)],
    { encoding: 'utf8' },
  );
  return { path, problem: status === 0 ? undefined : (error?.message ?? stderr) };
}

/**
 * Compiles a C program. Without a compiler the test is skipped; a source that does not compile is an error.
 *
 * @param source its path in test/faults
 */
export function nativeProgram(test: Context, source: string): string {
  if (spawnSync('cc', ['--version']).status !== 0) skip(test, 'there is no cc here');
  const { path, problem } = compile(source);
  if (problem !== undefined) throw new Error(problem);
  return path;
}
