import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { netstatCounter } from '../../native/sockets/netstat.js';

/** Facts of a machine. A fact that it does not tell is undefined. */
export interface Machine {
  /** The numbers or words of a sysctl such as `net.core.somaxconn`. */
  sysctl(name: string): readonly string[] | undefined;
  /** The kernel's release, such as `6.18.44-generic`. */
  readonly kernel: string | undefined;
  /** Soft and hard limit of open files of this process. */
  readonly openFiles: readonly [soft: string, hard: string] | undefined;
  /** A counter of /proc/net/netstat, such as `ListenOverflows`. */
  counter(name: string): number | undefined;
  readonly isContainer: boolean;
  /** Whether the kernel has a module of this name; undefined where its list cannot be read, as in most containers. */
  hasModule(name: string): boolean | undefined;
  /** Inodes of open sockets → their processes. Only root sees those of other users. */
  socketOwners(): ReadonlyMap<number, number>;
}

function readFact(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    // Absent, or not readable for this user: the check says `unknown`.
    return undefined;
  }
}

/** Names in a directory; none if it cannot be read. */
function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkedTo(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed, or its process ended, since it was listed.
    return '';
  }
}

/** /proc/PID/fd has a link `socket:[INODE]` for each socket (proc_pid_fd(5)). */
function socketOwners(proc: string): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const pid of list(proc).filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(join(proc, pid, 'fd'))) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkedTo(join(proc, pid, 'fd', fd)))?.[1];
      // The last process counts: the primary of a cluster, which is first, also has its workers' listeners open.
      if (inode !== undefined) owners.set(Number(inode), Number(pid));
    }
  }
  return owners;
}

/** The modules that the running kernel can load (modules.dep(5)). */
function moduleList(directory: string): string | undefined {
  return readFact(join(directory, 'modules.dep'));
}

/**
 * This machine.
 *
 * @param root where its file system begins
 */
export function machine(root = '/'): Machine {
  const kernel = readFact(join(root, 'proc/sys/kernel/osrelease'));
  const limits = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFact(join(root, 'proc/self/limits')) ?? '');
  return {
    sysctl: (name) => readFact(join(root, 'proc/sys', name.replaceAll('.', '/')))?.split(/\s+/),
    kernel,
    openFiles: limits?.[1] === undefined || limits[2] === undefined ? undefined : [limits[1], limits[2]],
    counter: (name) => netstatCounter(readFact(join(root, 'proc/net/netstat')) ?? '', name),
    socketOwners: () => socketOwners(join(root, 'proc')),
    hasModule: (name) => moduleList(join(root, 'lib/modules', kernel ?? ''))?.includes(`/${name}.ko`),
    isContainer: existsSync(join(root, '.dockerenv')) || existsSync(join(root, 'run/.containerenv')),
  };
}
