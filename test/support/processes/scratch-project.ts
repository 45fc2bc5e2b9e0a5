import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this package is developed: four levels above build/test/support/processes/. */
export const repository = fileURLToPath(new URL('../../../..', import.meta.url));

let directory: string | undefined;

/**
 * A project in a temporary directory with the package installed as users get it: packed, unpacked, and its dependencies
 * beside it. Made once for a run of the tests, deleted when that ends.
 */
export function scratchProject(): string {
  directory ??= makeProject();
  return directory;
}

function makeProject(): string {
  const project = mkdtempSync(join(tmpdir(), 'scratch-project-'));
  process.once('exit', () => rmSync(project, { recursive: true, force: true }));
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
  installPackage(join(project, 'node_modules/socket-tune'));
  return project;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/**
 * Unpack the package into `target`, and link its dependencies beside it.
 *
 * @param omitOptional leave out what npm leaves out with `--omit=optional`, or where it cannot be installed
 */
export function installPackage(target: string, { omitOptional = false } = {}): void {
  mkdirSync(target, { recursive: true });
  // The prepack script would build, and so delete the tests that are running.
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', target];
  const tarball = execFileSync('npm', pack, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim();
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1'], { cwd: target });
  rmSync(join(target, tarball));
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(target, 'package.json'), 'utf8'),
  ) as Manifest;
  for (const name of Object.keys({ ...dependencies, ...(omitOptional ? {} : optionalDependencies) })) {
    const link = join(dirname(target), name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), link);
  }
}

/** Write an application into the project. The extension says whether it is an ES module (.mjs) or CommonJS (.cjs). */
export function writeApp(name: `${string}.mjs` | `${string}.cjs`, source: string): string {
  const file = join(scratchProject(), name);
  writeFileSync(file, source);
  return file;
}
