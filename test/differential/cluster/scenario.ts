import type { Stage } from './process-harness.js';

/** In how many workers a server listens for itself, and not on what the primary passes on. */
export interface OwnListeners {
  /** The primary is under the preload as well, and makes them. */
  readonly everywhere: number;
  /** Only the workers are, as under a process manager. */
  readonly workersOnly: number;
}

/** A cluster that runs stock and tuned, and must see the same. */
export interface Story {
  readonly own: OwnListeners;
  /** Ways of running it that differ from stock as docs/deviations.md says. */
  readonly deviates?: readonly ('everywhere' | 'workersOnly')[];
  primary(stage: Stage): Promise<void>;
  worker(stage: Stage): void;
}

export type Stories = Readonly<Record<string, Story>>;
