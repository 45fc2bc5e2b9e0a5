/**
 * Descriptors that the thread pool reads from, or has read from. Closing one of them inline could come before a read that waits in the
 * pool, and the number might be another file's by then. In the pool the close comes after the read.
 */
const read = new Set<number>();

export function notePooledRead(fd: unknown): void {
  if (typeof fd === 'number') read.add(fd);
}

export function hasPooledRead(fd: number): boolean {
  return read.has(fd);
}

/** The descriptor is closed, and its number may be another file's. */
export function forgetPooledReads(fd: unknown): void {
  if (typeof fd === 'number') read.delete(fd);
}
