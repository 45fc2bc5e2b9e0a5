import type { Report } from '../../../src/report/report.js';

type Files = Report['files'];

/**
 * How often the kernel would not say that bytes are in the page cache, although they were written a moment ago. While the
 * machine writes much elsewhere, preadv2(RWF_NOWAIT) does that once in some thousand windows; they are read and written then.
 */
export function deniedWindows({ notRerouted }: Files): number {
  return notRerouted['not-resident'] ?? 0;
}

/** Why streams took the original path for another reason than that. */
export function reasons({ notRerouted }: Files): Readonly<Record<string, number>> {
  const { 'not-resident': _, ...others } = notRerouted;
  return others;
}

/** Bytes that went the way they should: by sendfile, or copied at once where there are few. */
export function fastBytes({ sendfileBytes, copiedBytes }: Files): number {
  return sendfileBytes + (copiedBytes['small-file'] ?? 0);
}

/** Whether file streams went that way, or all but for what is not in the page cache. */
export function isRerouted(files: Files | undefined): boolean {
  return files !== undefined && (fastBytes(files) > 0 || deniedWindows(files) > 0);
}

/** Bytes that were sent as regions, by sendfile or copied in the end. */
export function regionBytes({ sendfileBytes, copiedBytes }: Files): number {
  return Object.values(copiedBytes).reduce((total, bytes) => total + bytes, sendfileBytes);
}
