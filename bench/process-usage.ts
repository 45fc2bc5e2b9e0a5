import { readdirSync, readFileSync } from 'node:fs';

/** Resources of a process. */
export interface Holding {
  /** Memory: shared pages (mostly files) counted in full, and by share. */
  readonly rssBytes: number;
  readonly pssBytes: number;
  readonly descriptors: number;
}

/**
 * CPU seconds of a process and its threads so far, with nanoseconds: /proc/PID/stat counts in ticks of 10 ms. It is
 * exact while the threads sleep, as after their work.
 */
export function cpuClock(pid: number): () => number {
  // A thread that has ended counts with its last value.
  const nanoseconds = new Map<string, number>();
  return () => {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [onCpu] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
      nanoseconds.set(thread, Number(onCpu));
    }
    let sum = 0;
    for (const value of nanoseconds.values()) sum += value;
    return sum / 1e9;
  };
}

function kilobytesIn(text: string, field: string): number {
  const match = new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text);
  if (match === null) throw new Error(`no ${field} in smaps_rollup`);
  return Number(match[1]) * 1024;
}

export function holding(pid: number): Holding {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return {
    rssBytes: kilobytesIn(rollup, 'Rss'),
    pssBytes: kilobytesIn(rollup, 'Pss'),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
