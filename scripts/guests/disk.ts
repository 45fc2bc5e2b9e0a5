import { chmodSync, cpSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command } from './command.js';
import type { Debian } from './debian.js';
import type { EmulatedGuest } from './guests.js';
import type { Plan } from './inside/main.js';
import { npmPackage } from './npm.js';
import { makeProject, type System } from './project.js';

const SYSTEMS: Readonly<Record<EmulatedGuest['architecture'], System>> = { amd64: 'linux-x64', arm64: 'linux-arm64' };

const MOUNT_POINTS = ['proc', 'sys', 'dev', 'tmp', 'disk'];

const MEGABYTE = 2 ** 20;
/** Room on the disk beside the copies of Node. */
const ROOM = 250 * MEGABYTE;
const ROOM_PER_NODE = 180 * MEGABYTE;

/** The second file system is that of /tmp. */
const PLAN: Omit<Plan, 'verify'> = { directories: ['/srv/files', '/tmp/files'], dropCaches: true };

/** What the kernel starts, as process 1. When it has run every Node, it switches the machine off. */
function initScript(nodes: readonly number[], verify: readonly string[]): string {
  const plan = JSON.stringify({ ...PLAN, verify });
  return `#!/bin/busybox sh
PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
[ -c /dev/null ] || busybox mount -t devtmpfs dev /dev
busybox mount -t tmpfs tmp /tmp
busybox ifconfig lo 127.0.0.1 up
cd /app
for version in ${nodes.join(' ')}; do
  node$version inside/main.js '${plan}' </dev/null
  echo "guest-status: node $version ended with $?"
done
busybox poweroff -f
`;
}

/** A disk with an ext4 file system: a C library, copies of Node, the project. */
export function makeDisk(
  { name, architecture, nodes }: EmulatedGuest,
  debian: Debian,
  cache: string,
  verify: readonly string[],
): string {
  const system = SYSTEMS[architecture];
  const root = join(cache, `root-${name}`);
  const image = join(cache, `disk-${name}.img`);
  rmSync(root, { recursive: true, force: true });
  rmSync(image, { force: true });
  cpSync(debian.base(architecture), root, { recursive: true, verbatimSymlinks: true });
  rmSync(join(root, 'usr/share'), { recursive: true, force: true });
  for (const folder of [...MOUNT_POINTS, 'srv']) mkdirSync(join(root, folder), { recursive: true });
  for (const version of nodes) {
    linkSync(join(npmPackage(cache, `node-${system}@${version}`), 'bin/node'), join(root, `bin/node${version}`));
  }
  makeProject(join(root, 'app'), system, cache);
  const init = join(root, 'init');
  writeFileSync(init, initScript(nodes, verify));
  chmodSync(init, 0o755);
  const megabytes = Math.ceil((ROOM + nodes.length * ROOM_PER_NODE) / MEGABYTE);
  command('mkfs.ext4', ['-q', '-d', root, image, `${megabytes}M`]);
  rmSync(root, { recursive: true });
  return image;
}

/** The file of a kernel: in /boot, or since 7.x beside its modules. */
export function kernelImage(kernel: string): string {
  const [path] = command('find', [kernel, '-name', 'vmlinuz*', '-type', 'f']).split('\n');
  if (!path) throw new Error(`${kernel} holds no kernel`);
  return path;
}

function modulePaths(kernel: string, names: readonly string[]): string[] {
  const all = command('find', [kernel, '-name', '*.ko*']).split('\n');
  return names.map((name) => {
    const path = all.find((one) => one.includes(`/${name}.ko`));
    if (path === undefined) throw new Error(`${kernel} has no module ${name}`);
    return path;
  });
}

/** An initramfs that loads modules, and then goes on to the disk. */
export function makeInitramfs(
  { name, architecture, kernel: { modules = [] } }: EmulatedGuest,
  kernel: string,
  debian: Debian,
  cache: string,
): string {
  const root = join(cache, `initramfs-${name}`);
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'modules', ...MOUNT_POINTS]) mkdirSync(join(root, folder), { recursive: true });
  cpSync(join(debian.base(architecture), 'bin/busybox'), join(root, 'bin/busybox'));
  for (const [index, path] of modulePaths(kernel, modules).entries()) {
    const target = join(root, 'modules', `${String(index).padStart(2, '0')}.ko`);
    cpSync(path, path.endsWith('.xz') ? `${target}.xz` : target);
    if (path.endsWith('.xz')) command('xz', ['-d', `${target}.xz`]);
  }
  const init = join(root, 'init');
  writeFileSync(
    init,
    `#!/bin/busybox sh
PATH=/bin
busybox mount -t devtmpfs dev /dev
for module in /modules/*; do busybox insmod $module; done
tries=0
while [ ! -b /dev/nvme0n1 ] && [ $tries -lt 60 ]; do busybox sleep 1; tries=$((tries + 1)); done
busybox mount -t ext4 /dev/nvme0n1 /disk || busybox poweroff -f
busybox mount --move /dev /disk/dev
exec busybox switch_root /disk /init
`,
  );
  chmodSync(init, 0o755);
  const archive = `${root}.cpio`;
  command('sh', ['-c', `find . | cpio --quiet -o -H newc >"${archive}"`], { cwd: root });
  return archive;
}
