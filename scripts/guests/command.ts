import { spawnSync } from 'node:child_process';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

/** Run a program to its end. @throws what it wrote to standard error, if it failed */
export function command(
  name: string,
  args: readonly string[],
  { cwd, input, env }: { cwd?: string; input?: Buffer | string; env?: NodeJS.ProcessEnv } = {},
): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
    env: { ...process.env, PATH, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

export function isInstalled(name: string): boolean {
  return spawnSync(name, ['--version'], { env: { ...process.env, PATH }, stdio: 'ignore' }).error === undefined;
}
