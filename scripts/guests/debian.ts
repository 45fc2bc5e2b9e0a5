/**
 * Packages of Debian's of any suite and architecture, unpacked and kept. They come by apt-get with a configuration of its own, from the
 * mirror that the machine uses. The machine's own sources and packages stay as they are.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.js';
import type { Architecture, Kernel } from './guests.js';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The suite of the C library and the shell in the guests. */
const BASE_SUITE = 'bookworm';
const BASE_PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'busybox-static'];

/** Of the packages that a kernel's package needs, those that are parts of the kernel. From 7.x on there are several. */
const KERNEL_PART = /^linux-(image|binary|modules)-\d/;

/** The mirror of the machine's own sources; DEBIAN_MIRROR, if it is set. */
function mirror(): string {
  const { DEBIAN_MIRROR } = process.env;
  if (DEBIAN_MIRROR !== undefined) return DEBIAN_MIRROR;
  const format = '$(ORIGIN) $(LABEL) $(REPO_URI)';
  const lines = command('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).split('\n');
  const found = lines.flatMap((line) => /^Debian Debian (\S+)$/.exec(line)?.[1] ?? [])[0];
  if (found === undefined) throw new Error('apt knows no mirror of Debian: run apt-get update, or set DEBIAN_MIRROR');
  return found;
}

export class Debian {
  readonly #cache: string;

  /** @param cache the directory in which packages stay */
  constructor(cache: string) {
    this.#cache = cache;
  }

  /** C library, C++ library and shell, as they lie in the root of a system. */
  base(architecture: Architecture): string {
    return this.#unpacked(`base-${architecture}`, BASE_SUITE, architecture, () => BASE_PACKAGES);
  }

  /** A kernel with its modules. */
  kernel(kernel: Kernel, architecture: Architecture): string {
    const { suite, package: name } = kernel;
    return this.#unpacked(`${name}-${suite}`, suite, architecture, (apt) => {
      const uris = apt(['install', '--print-uris', '--no-install-recommends', '-qq', name]);
      // Lines as `'http://…' linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb 26500000 SHA256:…`.
      const packages = uris.split('\n').flatMap((line) => line.split(' ')[1]?.split('_', 1) ?? []);
      return packages.filter((one) => KERNEL_PART.test(one));
    });
  }

  #unpacked(
    name: string,
    suite: string,
    architecture: Architecture,
    choose: (apt: (args: readonly string[]) => string) => readonly string[],
  ): string {
    const target = join(this.#cache, name);
    if (existsSync(target)) return target;
    const root = join(this.#cache, 'apt', `${suite}-${architecture}`);
    const apt = (args: readonly string[], cwd = root): string =>
      command('apt-get', [...aptOptions(root, architecture), ...args], { cwd });
    updateLists(root, suite, apt);
    const unpacking = `${target}.unpacking`;
    rmSync(unpacking, { recursive: true, force: true });
    const packages = join(unpacking, 'packages');
    mkdirSync(packages, { recursive: true });
    apt(['download', '-qq', ...choose(apt)], packages);
    for (const file of readdirSync(packages))
      command('dpkg-deb', ['-x', join(packages, file), join(unpacking, 'root')]);
    renameSync(join(unpacking, 'root'), target);
    rmSync(unpacking, { recursive: true });
    return target;
  }
}

function aptOptions(root: string, architecture: Architecture): string[] {
  const options = {
    Dir: root,
    'Dir::Etc': join(root, 'etc'),
    'Dir::State::status': join(root, 'status'),
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    // Else apt drops its rights, and may not write here.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function updateLists(root: string, suite: string, apt: (args: readonly string[]) => string): void {
  for (const folder of ['etc/apt.conf.d', 'etc/preferences.d', 'etc/sources.list.d', 'var/lib/apt/lists/partial'])
    mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
  writeFileSync(join(root, 'status'), '');
  writeFileSync(join(root, 'etc/sources.list'), `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`);
  apt(['update', '-qq']);
}
