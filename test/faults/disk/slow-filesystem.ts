import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What slow-filesystem.c has in its files. */
export function slowBytes(): Buffer {
  return Buffer.from(Uint8Array.from({ length: 4 << 20 }, (_, at) => at ^ (at >> 8) ^ (at >> 16)));
}

/** A mounted file system, every read of which takes so long. */
export interface SlowFilesystem {
  unmount(): Promise<void>;
}

/** @returns why it cannot be mounted, if so */
export async function mountSlow(program: string, directory: string, delay: number): Promise<SlowFilesystem | string> {
  const child = spawn(program, [directory, String(delay)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const said = createInterface(child.stdout);
  const problem = once(createInterface(child.stderr), 'line');
  const first = await Promise.race([once(said, 'line'), problem, ended]);
  if (String(first[0]) !== 'mounted') return String(first[0]);
  const unmount = (): void => void child.kill('SIGTERM');
  process.once('exit', unmount);
  return {
    async unmount() {
      process.off('exit', unmount);
      unmount();
      await ended;
    },
  };
}
