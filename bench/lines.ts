import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Lines of a process's standard output, one for each call. Early lines are kept.
 *
 * @throws if the process ends first
 */
export function lineReader(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const { done, value } = await lines.next();
    if (!done) return value;
    const { spawnargs, exitCode, signalCode } = child;
    throw new Error(`${spawnargs.join(' ')} has ended: ${signalCode ?? exitCode ?? 'its output is closed'}`);
  };
}
