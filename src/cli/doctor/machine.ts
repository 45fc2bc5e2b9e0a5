import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What is asked of a machine. A fact that it does not tell is undefined. */
export interface Machine {
  /** Numbers, or words, of a sysctl such as `net.core.somaxconn`. */
  sysctl(name: string): readonly string[] | undefined;
  /** The kernel's release, such as `6.18.44-generic`. */
  readonly kernel: string | undefined;
  /** Soft and hard limit of open files of this process. */
  readonly openFiles: readonly [soft: string, hard: string] | undefined;
  /** A counter of /proc/net/netstat, such as `ListenOverflows`. */
  counter(name: string): number | undefined;
  readonly isContainer: boolean;
  /** The processes that have sockets open, by the inodes of these: of other users' processes only root is told. */
  socketOwners(): ReadonlyMap<number, number>;
}

function readFact(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    // No such fact here, or not for us: the check that wants it says so.
    return undefined;
  }
}

/** Names and numbers stand in lines of their own, pair by pair (net/ipv4/proc.c). */
function counterOf(netstat: string, name: string): number | undefined {
  const lines = netstat.split('\n').map((line) => line.split(' '));
  for (const [index, names] of lines.entries()) {
    const column = names.indexOf(name);
    const value = column < 0 ? undefined : Number(lines[index + 1]?.[column]);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Names in a directory; none if it is not there, or not for us. */
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
    // Closed, or its process has ended, since it was listed.
    return '';
  }
}

/** /proc/PID/fd has a link `socket:[INODE]` for each socket (proc_pid_fd(5)). */
function socketOwners(proc: string): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const pid of list(proc).filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(join(proc, pid, 'fd'))) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkedTo(join(proc, pid, 'fd', fd)))?.[1];
      // Of several that have it, the last to come: the primary of a cluster keeps its workers' listeners open as well.
      if (inode !== undefined) owners.set(Number(inode), Number(pid));
    }
  }
  return owners;
}

/**
 * The machine that this runs on.
 *
 * @param root where its file system begins
 */
export function machine(root = '/'): Machine {
  const limits = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFact(join(root, 'proc/self/limits')) ?? '');
  return {
    sysctl: (name) => readFact(join(root, 'proc/sys', name.replaceAll('.', '/')))?.split(/\s+/),
    kernel: readFact(join(root, 'proc/sys/kernel/osrelease')),
    openFiles: limits?.[1] === undefined || limits[2] === undefined ? undefined : [limits[1], limits[2]],
    counter: (name) => counterOf(readFact(join(root, 'proc/net/netstat')) ?? '', name),
    socketOwners: () => socketOwners(join(root, 'proc')),
    isContainer: existsSync(join(root, '.dockerenv')) || existsSync(join(root, 'run/.containerenv')),
  };
}
