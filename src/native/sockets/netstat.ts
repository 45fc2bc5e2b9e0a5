import { fs } from '../../node/modules.js';

/** What the listeners of a network namespace have dropped since it began: counters of netstat(8). */
export interface ListenCounters {
  /** Times that a connection found the accept queue full. */
  readonly overflows: number;
  /** SYNs and handshakes that were dropped, these included. */
  readonly drops: number;
}

/** A counter of /proc/net/netstat. Its lines come in pairs: one of names, one of numbers (net/ipv4/proc.c). */
export function netstatCounter(netstat: string, name: string): number | undefined {
  const lines = netstat.split('\n').map((line) => line.split(' '));
  for (const [index, names] of lines.entries()) {
    const column = names.indexOf(name);
    const value = column < 0 ? undefined : Number(lines[index + 1]?.[column]);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Of the network namespace that this process is in; undefined where /proc cannot be read. */
export function listenCounters(): ListenCounters | undefined {
  try {
    const netstat = fs().readFileSync('/proc/self/net/netstat', 'latin1');
    const overflows = netstatCounter(netstat, 'ListenOverflows');
    const drops = netstatCounter(netstat, 'ListenDrops');
    return overflows === undefined || drops === undefined ? undefined : { overflows, drops };
  } catch {
    return undefined;
  }
}
