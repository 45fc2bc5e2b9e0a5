import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasProgram } from './machine.js';

const VERSION = '1.4.5';
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), `socket-tune-bench/bun-${VERSION}`);

/** Package `bun` has one package a platform with the program. npm installs the right one. */
function cached(): string | undefined {
  const platforms = join(CACHE, 'node_modules/@oven');
  if (!existsSync(platforms)) return undefined;
  const programs = readdirSync(platforms).map((platform) => join(platforms, platform, 'bin/bun'));
  return programs.find((program) => spawnSync(program, ['--version']).status === 0);
}

function install(): void {
  console.error(`bench: installing Bun ${VERSION} from npm into ${CACHE}, to compare with`);
  mkdirSync(CACHE, { recursive: true });
  const options = ['--prefix', CACHE, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  spawnSync('npm', ['install', ...options, `bun@${VERSION}`], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Bun's program, if present, or if it may and can be installed, outside of the repository. */
export function bunProgram(mayInstall: boolean): string | undefined {
  if (hasProgram('bun')) return 'bun';
  const program = cached();
  if (program !== undefined || !mayInstall) return program;
  install();
  return cached();
}
