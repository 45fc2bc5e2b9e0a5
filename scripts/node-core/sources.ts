import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MIRROR = process.env.DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';

/** Together they have a source package of each major version that Debian still keeps. */
const SUITES = ['trixie', 'sid', 'bookworm'];

/** The parts of a source package that the tests need. */
const PARTS = ['test/common', 'test/fixtures', 'test/parallel', 'test/sequential'];

/** Node's source, as Debian has it. */
interface Tarball {
  readonly version: string;
  readonly path: string;
  readonly sha256: string;
}

function run(command: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? String(stderr)}`);
  return stdout;
}

async function download(path: string): Promise<Buffer> {
  const url = `${MIRROR}/${path}`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return Buffer.from(await response.arrayBuffer());
}

/** The source packages of nodejs in an index of Debian's (`Sources`, deb-src(5)). */
function tarballsIn(index: string): Tarball[] {
  const packages = index.split('\n\n').filter((text) => /^Package: nodejs$/m.test(text));
  return packages.flatMap((text) => {
    const directory = /^Directory: (\S+)$/m.exec(text)?.[1];
    const [, sha256, file, version] =
      /^ ([0-9a-f]{64}) \d+ (nodejs_(\d+\.\d+\.\d+)\S*\.orig\.tar\.xz)$/m.exec(text) ?? [];
    return directory === undefined || sha256 === undefined || file === undefined || version === undefined
      ? []
      : [{ version, path: `${directory}/${file}`, sha256 }];
  });
}

function majorOf(version: string): number {
  return Number.parseInt(version.replace('v', ''), 10);
}

/** Sources that are not newer than the running Node, as their tests must fit it. The newest first. */
async function findTarballs(): Promise<Tarball[]> {
  const wanted = majorOf(process.version);
  const found: Tarball[] = [];
  for (const suite of SUITES) {
    const index = run('xz', ['-dc'], await download(`dists/${suite}/main/source/Sources.xz`)).toString();
    found.push(...tarballsIn(index).filter(({ version }) => majorOf(version) <= wanted));
  }
  if (found.length === 0) throw new Error(`Debian has no source of a Node up to ${process.version}`);
  return found.sort((one, other) => majorOf(other.version) - majorOf(one.version));
}

/** Node's own tests, unpacked. */
export interface Sources {
  readonly directory: string;
  readonly version: string;
}

async function fetchTests({ version, path, sha256 }: Tarball, directory: string): Promise<Sources> {
  if (existsSync(directory)) return { directory, version };
  const archive = await download(path);
  const found = createHash('sha256').update(archive).digest('hex');
  if (found !== sha256) throw new Error(`${path} has the checksum ${found} instead of ${sha256}`);
  const unpacking = `${directory}.unpacking`;
  rmSync(unpacking, { recursive: true, force: true });
  mkdirSync(unpacking, { recursive: true });
  const file = join(unpacking, 'nodejs.tar.xz');
  writeFileSync(file, archive);
  const members = PARTS.map((part) => `*/${part}`);
  run('tar', ['-xJf', file, '-C', unpacking, '--strip-components=1', '--wildcards', ...members]);
  rmSync(file);
  renameSync(unpacking, directory);
  return { directory, version };
}

/**
 * Fetches Node's source from Debian once, and unpacks its tests. If a mirror lacks what its index names, the next older one is taken.
 *
 * @param cache the directory in which they stay
 */
export async function fetchSources(cache: string): Promise<Sources> {
  let failure: unknown;
  for (const tarball of await findTarballs()) {
    try {
      return await fetchTests(tarball, join(cache, tarball.version));
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      failure = error;
    }
  }
  throw failure;
}
