import type { Report } from '../../../src/report/report.js';

type Files = Report['files'];

/**
 * How often the kernel would not say that bytes are in the page cache, although they were written a moment ago. While the
 * machine writes much elsewhere, preadv2(RWF_NOWAIT) does that once in some thousand windows; they are read and written then.
 */
export function deniedWindows({ notRerouted }: Files): number {
  return notRerouted['not-resident'] ?? 0;
}

/** The other reasons why streams took the original path. */
export function reasons({ notRerouted }: Files): Readonly<Record<string, number>> {
  const { 'not-resident': _, ...others } = notRerouted;
  return others;
}

/** Bytes that were sent as intended: by sendfile, or copied at once if they are few. */
export function fastBytes({ sendfileBytes, copiedBytes }: Files): number {
  return sendfileBytes + (copiedBytes['small-file'] ?? 0);
}

/** Whether file streams were rerouted, except for windows that were not in the page cache. */
export function isRerouted(files: Files | undefined): boolean {
  return files !== undefined && (fastBytes(files) > 0 || deniedWindows(files) > 0);
}

/** Bytes that were sent as regions, by sendfile or copied in the end. */
export function regionBytes({ sendfileBytes, copiedBytes }: Files): number {
  const { encrypted: _, ...ofRegions } = copiedBytes;
  return Object.values(ofRegions).reduce((total, bytes) => total + bytes, sendfileBytes);
}
