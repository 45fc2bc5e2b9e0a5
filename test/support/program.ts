import { execFileSync } from 'node:child_process';
import type { Context } from 'mocha';

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

/** Skip a test, and say why. */
export function skipWithout(test: Context, name: string): void {
  process.stderr.write(`skipped, as there is no ${name} here: ${test.test?.fullTitle()}\n`);
  test.skip();
}
