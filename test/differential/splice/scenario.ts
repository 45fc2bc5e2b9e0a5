import { kernelPipes, openDescriptors } from '../../support/test-run/descriptors.js';
import type { Recorder, Recording } from '../harness/recorder.js';
import type { Scenario } from '../harness/scenario.js';
import { ownStats } from './own-stats.js';

/** How the bytes of a scenario must travel under the preload. */
export type Travel =
  /** Most of its bulk goes by splice(2). */
  | 'spliced'
  /** No byte does. */
  | 'original'
  /** As it comes: the scenario is about something else. */
  | 'either';

export interface SpliceScenario extends Scenario {
  readonly travel: Travel;
  /** Values that depend on how much was under way when something was broken off. */
  readonly varying?: readonly string[];
  /** Emitters whose events are a matter of luck in stock Node, too. */
  readonly ignored?: readonly string[];
}

export type SpliceScenarios = Readonly<Record<string, SpliceScenario>>;

const SPLICED = 'spliced bytes';

/** Parts of notes that no two runs share, where a stream is broken off: how far it had come. */
export const BROKEN_OFF = ['source, figures', 'sink, figures'];

/** Descriptors that are open, but the kernel's pipes: the one of a thread is kept for a while. */
function descriptors(): number {
  return openDescriptors() - kernelPipes();
}

/** Has every scenario record what it has spliced, and the descriptors that it leaves open. */
export function spliceScenarios(scenarios: SpliceScenarios): SpliceScenarios {
  const recorded = Object.entries(scenarios).map(([title, scenario]): [string, SpliceScenario] => [
    title,
    {
      ...scenario,
      async run(recorder: Recorder) {
        const stats = ownStats();
        const spliced = (): number => stats?.().splices.bytes ?? 0;
        const before = { spliced: spliced(), descriptors: descriptors() };
        await scenario.run(recorder);
        const after = spliced() - before.spliced;
        recorder.factAtEnd(SPLICED, () => after);
        recorder.note('descriptors left', descriptors() - before.descriptors);
      },
    },
  ]);
  return Object.fromEntries(recorded);
}

export function splicedBytes({ facts }: Recording): number {
  return Number(facts[SPLICED]?.[0] ?? Number.NaN);
}
