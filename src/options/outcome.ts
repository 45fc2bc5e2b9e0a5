import type { OptionKey } from './table.js';

/**
 * What became of an option: `applied` (set, and read back where asked), `inherited` (it came with the listener), `clamped`
 * (the kernel chose another value), `inert` (set, but without effect), `unneeded` (the kernel does better by itself),
 * `unsupported` (this system or socket does not have it), `refused` (the kernel said no).
 */
export type Verdict = 'applied' | 'inherited' | 'clamped' | 'inert' | 'unneeded' | 'unsupported' | 'refused';

export interface OptionOutcome {
  readonly option: OptionKey | 'raw';
  /** The constant's name in the system's headers; `level:name` of a raw option. */
  readonly constant: string;
  readonly asked: number | string;
  readonly verdict: Verdict;
  /** The kernel's value, where it was read back. */
  readonly kernel?: number | string;
  /** Why it is not as asked. */
  readonly cause?: string;
}
