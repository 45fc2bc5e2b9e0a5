import cluster from 'node:cluster';
import type { Recorder } from '../harness/recorder.js';
import type { Scenario } from '../harness/scenario.js';
import { ProcessHarness } from './process-harness.js';

/** In how many workers a server listens for itself, and not on what the primary passes on. */
export interface OwnListeners {
  /** The primary is under the preload as well, and makes them. */
  readonly everywhere: number;
  /** Only the workers are, as under a process manager. */
  readonly workersOnly: number;
}

/** What a primary and its workers do. */
export interface Script {
  readonly own: OwnListeners;
  /** Ways of running it that differ from stock as docs/deviations.md says. */
  readonly deviates?: readonly ('everywhere' | 'workersOnly')[];
  primary(harness: ProcessHarness): Promise<void>;
  worker(harness: ProcessHarness): void;
}

export type Scripts = Readonly<Record<string, Script>>;

export type ClusterScenario = Scenario & Script;

export type ClusterScenarios = Readonly<Record<string, ClusterScenario>>;

/** Runs in the primary, and again in each worker that it forks. */
async function runScript({ primary, worker }: Script, recorder: Recorder): Promise<void> {
  const harness = new ProcessHarness(recorder);
  if (cluster.isPrimary) {
    const { WORKERS_PRELOAD } = process.env;
    // A primary without the preload, as a process manager is one.
    if (WORKERS_PRELOAD !== undefined) cluster.setupPrimary({ execArgv: ['--import', WORKERS_PRELOAD] });
    return await primary(harness);
  }
  harness.note(
    'process',
    'environment',
    Object.keys(process.env).filter((key) => key.includes('CLUSTER')),
  );
  worker(harness);
}

export function clusterScenarios(scripts: Scripts): ClusterScenarios {
  const scenarios = Object.entries(scripts).map(([title, script]): [string, ClusterScenario] => [
    title,
    { ...script, run: (recorder) => runScript(script, recorder) },
  ]);
  return Object.fromEntries(scenarios);
}
