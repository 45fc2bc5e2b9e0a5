import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Directory of installed packages, outside of the repository. */
export function cacheOf(name: string): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'socket-tune-bench', name);
}

/** Install packages from npm into a directory, if possible. */
export function install(title: string, directory: string, packages: readonly string[]): void {
  console.error(`bench: installing ${title} from npm into ${directory}, to compare with`);
  mkdirSync(directory, { recursive: true });
  const options = ['--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  spawnSync('npm', ['install', ...options, ...packages], { stdio: ['ignore', 'ignore', 'inherit'] });
}
