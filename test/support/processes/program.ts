import { execFileSync } from 'node:child_process';
import type { Context } from 'mocha';
import { skip } from '../test-run/skipped.js';

const found = new Map<string, boolean>();

/** Whether a program can be run here. */
export function hasProgram(name: string): boolean {
  let has = found.get(name);
  if (has === undefined) {
    try {
      execFileSync(name, ['-V'], { stdio: 'ignore' });
      has = true;
    } catch {
      has = false;
    }
    found.set(name, has);
  }
  return has;
}

/** Skips a test, or the tests of a suite, as a program is missing. */
export function skipWithout(test: Context, name: string): void {
  skip(test, `there is no ${name} here`);
}
