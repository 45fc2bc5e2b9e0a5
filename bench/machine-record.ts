import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { canPin } from './machine.js';

/** Facts about the machine that figures depend on. */
export interface MachineRecord {
  readonly kernel: string;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  /** Whether it is a virtual machine, whose host may have others. */
  readonly isVirtual: boolean;
  /** Whether server and client each have a core. */
  readonly isPinned: boolean;
  /** Load average of the last minute before the measurements. */
  readonly loadAverage: number;
  readonly nginx: string | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
}

const SYSCTLS = [
  'net.core.somaxconn',
  'net.core.rmem_max',
  'net.core.wmem_max',
  'net.core.default_qdisc',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.ipv4.tcp_congestion_control',
  'net.ipv4.tcp_fastopen',
  'net.ipv4.tcp_notsent_lowat',
  'net.ipv4.tcp_autocorking',
  'net.ipv4.tcp_slow_start_after_idle',
] as const;

/** Text of a file of the kernel's; undefined without such a file. */
function kernelSays(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().replace(/\s+/g, ' ');
  } catch {
    return undefined;
  }
}

function sysctls(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of SYSCTLS) {
    const value = kernelSays(`/proc/sys/${name.replaceAll('.', '/')}`);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function nginxVersion(): string | undefined {
  const { stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return /nginx\/(\S+)/.exec(stderr ?? '')?.[1];
}

export function recordMachine(): MachineRecord {
  const all = cpus();
  return {
    kernel: release(),
    node: process.version,
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Number((totalmem() / 2 ** 30).toPrecision(2)),
    isVirtual: /\bflags : .*\bhypervisor\b/.test(kernelSays('/proc/cpuinfo') ?? ''),
    isPinned: canPin,
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
    nginx: nginxVersion(),
    sysctls: sysctls(),
  };
}
