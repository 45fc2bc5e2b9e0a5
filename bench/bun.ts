import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheOf, install } from './install.js';
import { hasProgram } from './machine.js';

const VERSION = '1.4.5';
const CACHE = cacheOf(`bun-${VERSION}`);

/** Package `bun` has one package a platform with the program. npm installs the right one. */
function cached(): string | undefined {
  const platforms = join(CACHE, 'node_modules/@oven');
  if (!existsSync(platforms)) return undefined;
  const programs = readdirSync(platforms).map((platform) => join(platforms, platform, 'bin/bun'));
  return programs.find((program) => spawnSync(program, ['--version']).status === 0);
}

/** Bun's program, if present, or if it may and can be installed, outside of the repository. */
export function bunProgram(mayInstall: boolean): string | undefined {
  if (hasProgram('bun')) return 'bun';
  const program = cached();
  if (program !== undefined || !mayInstall) return program;
  install(`Bun ${VERSION}`, CACHE, [`bun@${VERSION}`]);
  return cached();
}
