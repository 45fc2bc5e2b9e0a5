import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Have everything collected that nobody holds. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc: () => void = runInNewContext('gc');
  // A WeakRef that was looked at keeps its object until the job has ended.
  await new Promise(setImmediate);
  gc();
}
