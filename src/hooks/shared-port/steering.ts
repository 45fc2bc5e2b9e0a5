import { errnoName } from '../../native/errno.js';
import type { Platform } from '../../native/platform.js';
import { honoursListenerCpu, LISTENER_CPU_SINCE, onlyCpu } from '../../native/ports/cpu.js';
import type { Steering } from '../../native/ports/socket-program.js';
import type { ListenHandle } from '../../node/net.js';
import type { OptionOutcome } from '../../options/outcome.js';
import type { GroupListener } from './group-listener.js';

/** The outcome of a program that chooses among this many listeners; errno is undefined where the system has no such programs. */
export function steeringOutcome(listeners: number, errno: number | undefined): OptionOutcome {
  const outcome = { option: 'reusePort', constant: 'SO_ATTACH_REUSEPORT_CBPF', asked: listeners } as const;
  if (errno === 0) return { ...outcome, verdict: 'applied' };
  if (errno === undefined) return { ...outcome, verdict: 'unsupported', cause: 'this system has none' };
  return { ...outcome, verdict: 'refused', cause: `${errnoName(errno)}; the kernel goes by a hash of the addresses` };
}

/** Steering for a group whose order is known: to the listeners that have a worker. */
export function groupSteering(listeners: readonly Pick<GroupListener, 'worker'>[], byCpu: boolean): Steering {
  const active: number[] = [];
  const pinned = new Map<number, number>();
  for (const [index, { worker }] of listeners.entries()) {
    if (worker === undefined) continue;
    active.push(index);
    const cpu = onlyCpu(worker.pid);
    if (cpu !== undefined && !pinned.has(cpu)) pinned.set(cpu, index);
  }
  return { active, byCpu, pinned };
}

function bindToCpu(platform: Platform, handle: ListenHandle, cpu: number): OptionOutcome {
  const outcome = { option: 'reusePort', constant: 'SO_INCOMING_CPU', asked: cpu } as const;
  const { SO_INCOMING_CPU } = platform.constants;
  const errno = SO_INCOMING_CPU === undefined ? undefined : platform.set(handle, SO_INCOMING_CPU, Int32Array.of(cpu));
  if (errno !== 0)
    return { ...outcome, verdict: 'refused', cause: errno === undefined ? 'not here' : errnoName(errno) };
  if (honoursListenerCpu()) return { ...outcome, verdict: 'applied' };
  return { ...outcome, verdict: 'inert', cause: `Linux prefers the listener of a CPU since ${LISTENER_CPU_SINCE}` };
}

/**
 * Steering by CPU where each process makes its own listener, and so nobody knows their order. A process on one CPU sets SO_INCOMING_CPU.
 * A process on several CPUs attaches a program that goes by the CPU's number, among the listeners of this moment. If some of
 * them close later, the kernel goes by its hash for their CPUs.
 *
 * @param size how many listeners there are; undefined if the kernel does not tell
 * @returns undefined if the number is needed, and not known
 */
export function steerOwn(
  platform: Platform,
  handle: ListenHandle,
  size: number | undefined,
): OptionOutcome | undefined {
  const cpu = onlyCpu(process.pid);
  if (cpu !== undefined) return bindToCpu(platform, handle, cpu);
  if (size === undefined) return undefined;
  const active = Array.from({ length: size }, (_, index) => index);
  return steeringOutcome(size, platform.ports?.steer(handle, { active, byCpu: true, pinned: new Map() }));
}
