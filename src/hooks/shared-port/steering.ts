import { errnoName } from '../../native/errno.js';
import type { Platform } from '../../native/platform.js';
import { honoursListenerCpu, LISTENER_CPU_SINCE, onlyCpu } from '../../native/ports/cpu.js';
import type { ListenHandle } from '../../node/net.js';
import type { OptionOutcome } from '../../options/outcome.js';

/** What became of a program that chooses among this many listeners. */
export function steeringOutcome(listeners: number, errno: number | undefined): OptionOutcome {
  const outcome = { option: 'reusePort', constant: 'SO_ATTACH_REUSEPORT_CBPF', asked: listeners } as const;
  if (errno === 0) return { ...outcome, verdict: 'applied' };
  if (errno === undefined) return { ...outcome, verdict: 'unsupported', cause: 'this system has none' };
  return { ...outcome, verdict: 'refused', cause: `${errnoName(errno)}; the kernel goes by a hash of the addresses` };
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
 * Have connections go to the listener of the CPU that received them, where each process has made its own, and so nobody knows the
 * order of all. A process that runs on one CPU tells the kernel which; one that runs on several makes the choice by the CPU's number,
 * among as many listeners as there are now. Where some have gone since, the kernel goes by its hash.
 *
 * @param size how many listeners there are; undefined if the kernel does not tell
 * @returns what became of it; undefined if it takes the number, and that is not known
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
