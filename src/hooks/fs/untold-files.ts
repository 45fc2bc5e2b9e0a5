import { monotonic } from '../../node/clock.js';

const KEPT_FOR_MS = 1000;

const MOST = 1000;

/** When the kernel did not tell what is in the page cache: by descriptor, or by path. */
const untoldAt = new Map<number | string, number>();

/**
 * Whether the kernel has just refused to tell of this file. A question for each read would cost more than the thread pool does by itself:
 * files of a container's image that another user owns are read in many pieces.
 */
export function isUntold(file: number | string): boolean {
  if (untoldAt.size === 0) return false;
  const at = untoldAt.get(file);
  if (at === undefined) return false;
  if (monotonic() - at < KEPT_FOR_MS) return true;
  untoldAt.delete(file);
  return false;
}

export function noteUntold(file: number | string): void {
  if (untoldAt.size >= MOST) untoldAt.clear();
  untoldAt.set(file, monotonic());
}

/** The descriptor is closed: its number may be another file's next. */
export function forgetUntold(fd: number): void {
  if (untoldAt.size > 0) untoldAt.delete(fd);
}
