import { fs } from '../node-internals.js';

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

/** Whether the kernel prefers the listener of a CPU (SO_INCOMING_CPU) among those of a port: Linux 6.2, net/core/sock_reuseport.c. */
export function honoursListenerCpu(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}
