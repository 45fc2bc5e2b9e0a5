import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from './command.js';
import { npmPackage } from './npm.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const INSIDE = fileURLToPath(new URL('inside', import.meta.url));

/** As npm and koffi name systems. */
export type System = 'linux-x64' | 'linux-arm64' | 'win32-x64';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly version?: string }>>;
}

/** The packages that an app gets with ours, but for koffi's binaries. */
function productionPackages({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { dev }]) =>
    path === '' || dev === true || path.includes('@koromix') ? [] : [path],
  );
}

/**
 * Make a project as users have it, with the guest's program: the package as it is packed, and its dependencies, with koffi's binary for a
 * system.
 */
export function makeProject(directory: string, system: System, cache: string): void {
  rmSync(directory, { recursive: true, force: true });
  const own = join(directory, 'node_modules/socket-tune');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }\n');
  // The prepack script would build, and so delete this program.
  const tarball = command('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', own], {
    cwd: repository,
  }).trim();
  command('tar', ['-xzf', tarball, '--strip-components=1'], { cwd: own });
  rmSync(join(own, tarball));
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as Lock;
  for (const path of productionPackages(lock)) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    cpSync(join(repository, path), join(directory, path), { recursive: true });
  }
  const { version } = lock.packages['node_modules/koffi'] ?? {};
  const binary = `@koromix/koffi-${system}`;
  cpSync(npmPackage(cache, `${binary}@${version}`), join(directory, 'node_modules', binary), { recursive: true });
  cpSync(INSIDE, join(directory, 'inside'), { recursive: true });
}
