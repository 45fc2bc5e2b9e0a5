import { fs } from '../../node/modules.js';

let hasHadChildren = false;

/** A child process is made: it may get, or inherit, a copy of a listener's descriptor. */
export function noteChild(): void {
  hasHadChildren = true;
}

/** Whether a thread of this process has child processes now (proc(5)): some may be older than our hooks. */
function hasChildren(): boolean {
  const threads = '/proc/self/task';
  try {
    return fs()
      .readdirSync(threads)
      .some((thread) => fs().readFileSync(`${threads}/${thread}/children`, 'latin1') !== '');
  } catch {
    // A kernel without CONFIG_PROC_CHILDREN, or a thread that has ended: nobody knows.
    return true;
  }
}

/** Whether another process may hold a copy of a listener that this one has made: a child, or the parent at the other end of an IPC channel. */
export function mayBeHeldElsewhere(): boolean {
  return hasHadChildren || process.channel != null || hasChildren();
}
