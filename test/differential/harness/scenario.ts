import type { Recorder } from './recorder.js';

/** A program that runs stock and tuned, and must see the same. */
export interface Scenario {
  run(recorder: Recorder): Promise<void>;
}

export type Scenarios = Readonly<Record<string, Scenario>>;

/** What a process is told to run, in the file `plan.json` of its directory. */
export interface Plan {
  /** Path of a compiled module that exports `scenarios`. */
  readonly module: string;
  readonly titles: readonly string[];
  /** How many of them run at the same time. */
  readonly lanes: number;
}
