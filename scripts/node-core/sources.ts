import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MIRROR = process.env.DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';

/** Between them they have a source package of each major version that Debian still keeps. */
const SUITES = ['trixie', 'sid', 'bookworm'];

/** What of a source package the tests need. */
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

export function majorOf(version: string): number {
  return Number.parseInt(version.replace('v', ''), 10);
}

/** The newest source that is no newer than the running Node: its tests are about what this Node does. */
async function findTarball(): Promise<Tarball> {
  const wanted = majorOf(process.version);
  let best: Tarball | undefined;
  for (const suite of SUITES) {
    const index = run('xz', ['-dc'], await download(`dists/${suite}/main/source/Sources.xz`)).toString();
    for (const tarball of tarballsIn(index)) {
      const major = majorOf(tarball.version);
      if (major <= wanted && (best === undefined || major > majorOf(best.version))) best = tarball;
    }
    if (best !== undefined && majorOf(best.version) === wanted) break;
  }
  if (best === undefined) throw new Error(`Debian has no source of a Node up to ${process.version}`);
  return best;
}

/** Node's own tests, unpacked. */
export interface Sources {
  readonly directory: string;
  readonly version: string;
}

/**
 * Fetch Node's source from Debian, once, and unpack its tests.
 *
 * @param cache where they stay
 */
export async function fetchSources(cache: string): Promise<Sources> {
  const { version, path, sha256 } = await findTarball();
  const directory = join(cache, version);
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
