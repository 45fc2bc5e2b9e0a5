import type { OptionKey } from './option-values.js';

/**
 * The outcome of an option, as docs/observing.md has it: `applied` (the kernel took what was asked for; `note` says so where it keeps
 * that as another number), `inherited` (the same, from the listener), `clamped` (the kernel chose another value), `inert` (set, without
 * effect), `unneeded` (not for this socket, or the kernel does as well by itself), `unsupported` (this system or socket does not have
 * it), `refused` (setsockopt(2) failed).
 */
export type Verdict = 'applied' | 'inherited' | 'clamped' | 'inert' | 'unneeded' | 'unsupported' | 'refused';

export interface OptionOutcome {
  readonly option: OptionKey | 'raw';
  /** Name in the system's headers, or `level:name` of a raw option. */
  readonly constant: string;
  readonly asked: number | string;
  readonly verdict: Verdict;
  /** The value that was read back. */
  readonly kernel?: number | string;
  /** Why `kernel` is not the number of `asked`, though the kernel took that: it rounds some times, and doubles buffer sizes. */
  readonly note?: string;
  /** The reason, where the verdict is not `applied`. */
  readonly cause?: string;
}
