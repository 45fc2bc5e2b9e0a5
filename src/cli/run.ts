import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../config/env.js';
import { nodeDoes } from '../node/versions.js';

/** Signals of a terminal or a supervisor. The app decides what they do. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/** The flag that gives node the preload: `--require` where it brings no warning, as `--import` may lose messages (node/versions.ts). */
export function preloadFlags(preload: string, version = process.versions.node): readonly [flag: string, file: string] {
  return nodeDoes('warnsOfRequiredModules', version) ? ['--import', preload] : ['--require', fileURLToPath(preload)];
}

/**
 * Run node with the preload. Signals go to the app. We end as the app ends.
 *
 * @param preload URL of the preload
 * @param argv options of node, the script, and its arguments
 * @param variables added to the inherited environment
 */
export async function run(
  preload: string,
  argv: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<number> {
  const child = spawn(process.execPath, [...preloadFlags(preload), ...argv], {
    stdio: 'inherit',
    env: childEnvironment(variables),
  });
  const forward = (received: NodeJS.Signals): void => {
    child.kill(received);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (...end) => resolve(end));
  });
  for (const name of FORWARDED) process.off(name, forward);
  if (signal === null) return code ?? 0;
  // A parent process must see which signal ended the app, so it ends us too. If it does not, the shell's exit code tells it.
  process.kill(process.pid, signal);
  return 128 + constants.signals[signal];
}
