import { fs } from '../../node/modules.js';
import { isOlder, versionOf } from '../version.js';

const { release } = process.getBuiltinModule('node:os');

/** The CPU that a process is bound to (sched_setaffinity(2), taskset); undefined if it may run on several. */
export function onlyCpu(pid: number | undefined): number | undefined {
  try {
    const status = fs().readFileSync(`/proc/${pid}/status`, 'latin1');
    const cpu = /^Cpus_allowed_list:\s*(\d+)$/m.exec(status)?.[1];
    return cpu === undefined ? undefined : Number(cpu);
  } catch {
    // It has just ended, or this is a system without /proc: then it is bound to none.
    return undefined;
  }
}

/** Since then the listener of a CPU (SO_INCOMING_CPU) is preferred among those of a port: net/core/sock_reuseport.c. */
export const LISTENER_CPU_SINCE = '6.2';

export function honoursListenerCpu(): boolean {
  return !isOlder(versionOf(release()), versionOf(LISTENER_CPU_SINCE));
}
