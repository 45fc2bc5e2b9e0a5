import { fs } from '../../node/modules.js';
import { isOlder, versionOf } from '../version.js';

const { release } = process.getBuiltinModule('node:os');

/** The only CPU that a process may run on: sched_setaffinity(2), taskset(1). Undefined if there are several. */
export function onlyCpu(pid: number | undefined): number | undefined {
  try {
    const status = fs().readFileSync(`/proc/${pid}/status`, 'latin1');
    const cpu = /^Cpus_allowed_list:\s*(\d+)$/m.exec(status)?.[1];
    return cpu === undefined ? undefined : Number(cpu);
  } catch {
    // The process has just ended, or the system has no /proc.
    return undefined;
  }
}

/** First kernel that prefers the listener of the CPU (SO_INCOMING_CPU) in a group: net/core/sock_reuseport.c. */
export const LISTENER_CPU_SINCE = '6.2';

export function honoursListenerCpu(): boolean {
  return !isOlder(versionOf(release()), versionOf(LISTENER_CPU_SINCE));
}
