import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/sockets/free-port.js';
import { cacheOf, install } from '../install.js';
import { entry, PRELOAD } from '../machine.js';
import { type Amount, type Outcome, underLoad } from './load.js';
import { DEADLINE_MILLISECONDS } from './rollout.js';
import { type Subject, serverVariables } from './subject.js';

const run = promisify(execFile);

/** pm2 is done with the start before its workers listen. */
async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}

/** pm2 from npm; undefined where it cannot be had. */
export function pm2Program(): string | undefined {
  const directory = cacheOf('pm2');
  const program = join(directory, 'node_modules/pm2/bin/pm2');
  if (!existsSync(program)) install('pm2', directory, ['pm2@7']);
  return existsSync(program) ? program : undefined;
}

/**
 * Two workers of pm2 in its cluster mode, reloaded or restarted under load. pm2 sends SIGINT, and SIGKILL after a deadline.
 *
 * @param home directory for the daemon
 */
export async function underPm2(
  program: string,
  act: 'reload' | 'restart',
  subject: Subject,
  amount: Amount,
  home: string,
): Promise<Outcome> {
  mkdirSync(home, { recursive: true });
  const port = await freePort();
  const preload = subject.variables === undefined ? {} : { NODE_OPTIONS: `--import ${PRELOAD}` };
  // The daemon starts with the environment of the first command, and hands it to the workers.
  const env = { ...process.env, ...serverVariables(subject, port), ...preload, PM2_HOME: home };
  const pm2 = (...args: readonly string[]) => run(process.execPath, [program, ...args], { env });
  // The daemon is no child of ours, and would outlive an interruption.
  const kill = (): void => void spawnSync(process.execPath, [program, 'kill'], { env, stdio: 'ignore' });
  process.once('exit', kill);
  try {
    const patience = ['--kill-timeout', String(DEADLINE_MILLISECONDS)];
    await pm2('start', entry('leaving/leaving-server'), '--name', 'app', '-i', '2', ...patience);
    await untilOpen(port);
    return await underLoad(
      subject.client,
      () => port,
      amount,
      async () => {
        const began = performance.now();
        await pm2(act, 'app');
        return { how: act, seconds: (performance.now() - began) / 1e3 };
      },
    );
  } finally {
    process.off('exit', kill);
    await pm2('kill');
  }
}
