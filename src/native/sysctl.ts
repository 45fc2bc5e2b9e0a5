import { fs } from '../node/modules.js';

/** A sysctl below `net` as numbers; undefined where /proc cannot be read. */
export function sysctl(name: string): readonly number[] | undefined {
  try {
    return fs().readFileSync(`/proc/sys/net/${name}`, 'latin1').trim().split(/\s+/).map(Number);
  } catch {
    return undefined;
  }
}
