/** `npm run test:faults -- --short` is what CI has time for. */
const isShort = process.argv.includes('--short');

/** How often something is done: in full, or in the short form. */
export function effort(full: number, short: number): number {
  return isShort ? short : full;
}

/** What is gone through: all of it, or what stands for it. */
export function selection<T>(full: readonly T[], short: readonly T[]): readonly T[] {
  return isShort ? short : full;
}
