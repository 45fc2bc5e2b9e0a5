import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** cgroups version 1 and 2: both can limit reads. */
const GROUPS = [
  { root: '/sys/fs/cgroup/blkio', file: 'blkio.throttle.read_bps_device', text: (to: string) => to },
  { root: '/sys/fs/cgroup', file: 'io.max', text: (to: string) => to.replace(' ', ' rbps=') },
];

/** A group of processes that read slowly from a disk. */
export interface Throttle {
  add(pid: number): void;
  /** Once its processes have ended. */
  remove(): void;
}

/** Major and minor number, as the kernel writes them. Only whole disks can be limited. */
function diskOf(path: string): string {
  const { dev } = statSync(path);
  const device = join('/sys/dev/block', `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`);
  const disk = existsSync(join(device, 'partition')) ? `${device}/..` : device;
  return readFileSync(`${disk}/dev`, 'latin1').trim();
}

/**
 * @param path somewhere on the disk
 * @returns why it cannot be done here, if so
 */
export function throttleReads(path: string, bytesPerSecond: number): Throttle | string {
  const why: string[] = [];
  for (const { root, file, text } of GROUPS) {
    const group = join(root, `faults-${process.pid}`);
    try {
      mkdirSync(group);
      if (!existsSync(join(group, file))) throw new Error(`no ${file}`);
      writeFileSync(join(group, file), text(`${diskOf(path)} ${bytesPerSecond}`));
      return {
        add: (pid) => writeFileSync(join(group, 'cgroup.procs'), String(pid)),
        remove: () => rmdirSync(group),
      };
    } catch (error) {
      why.push(String(error));
      if (existsSync(group)) rmdirSync(group);
    }
  }
  return why.join('; ');
}
