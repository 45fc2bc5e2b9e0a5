import { fs } from '../node/modules.js';

/** A sysctl below `net` as words; undefined where /proc cannot be read. */
export function sysctlWords(name: string): readonly string[] | undefined {
  try {
    return fs().readFileSync(`/proc/sys/net/${name}`, 'latin1').trim().split(/\s+/);
  } catch {
    return undefined;
  }
}

/** A sysctl below `net` as numbers; undefined where /proc cannot be read. */
export function sysctl(name: string): readonly number[] | undefined {
  return sysctlWords(name)?.map(Number);
}
