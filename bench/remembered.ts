import type { Effort } from './scenario.js';

/** A measurement that several scenarios share runs once. */
export function remembered<T>(measure: (effort: Effort) => Promise<T>): (effort: Effort) => Promise<T> {
  const made = new Map<boolean, Promise<T>>();
  return (effort) => {
    const before = made.get(effort.quick);
    if (before !== undefined) return before;
    const now = measure(effort);
    made.set(effort.quick, now);
    return now;
  };
}
