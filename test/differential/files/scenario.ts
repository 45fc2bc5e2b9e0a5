import { isInstalled } from '../../../src/first-use.js';
import type { Reason } from '../../../src/hooks/files/eligibility.js';
import { kernelPipes, openDescriptors } from '../../support/test-run/descriptors.js';
import type { Recording } from '../harness/recorder.js';
import type { Scenario } from '../harness/scenario.js';
import { type Surroundings, surroundings } from './surroundings.js';
import { READ_BYTES } from './watch.js';

/** How the files of a scenario must travel when it runs under the preload. */
export type Travel =
  /** Every byte of that many streams is sent as a region. */
  | { readonly rerouted: number }
  /** No region is made, for these reasons: how many streams had each. */
  | { readonly original: Readonly<Partial<Record<Reason, number>>> }
  /** Some streams begin as regions and go on as chunks, or the other way round. */
  | { readonly mixed: Readonly<Partial<Record<Reason, number>>> };

/** A program that serves or sends files. */
export interface FileScenario extends Scenario {
  readonly travel: Travel;
  /** Emitters whose events come from the thread pool or the network, so that only their own order is compared. */
  readonly loose?: readonly string[];
  /** The client may ask again before the server has seen its last response's end: only each one's own order is compared. */
  readonly areRequestsIndependent?: true;
  /** Values that depend on how much was under way when something was broken off. No two runs share them. */
  readonly varying?: readonly string[];
  /** How many sockets it opens over TCP. It is run with those tuned as well. */
  readonly opens?: number;
}

export type FileScenarios = Readonly<Record<string, FileScenario>>;

/** What the process has at the end, besides what the scenario has recorded. */
interface State {
  /** Whether socket-tune is active. */
  readonly isInstalled: boolean;
  /** Node's objects. */
  readonly surroundings: Surroundings;
}

const STATE = 'state';

/** Has every scenario record the descriptors that it leaves open, and the state of the process. */
export function fileScenarios(scenarios: FileScenarios): FileScenarios {
  const recorded = Object.entries(scenarios).map(([title, scenario]): [string, FileScenario] => [
    title,
    {
      ...scenario,
      async run(recorder) {
        // But the kernel's pipes: the one that a thread splices by is kept for a while.
        const descriptors = (): number => openDescriptors() - kernelPipes();
        // libuv opens one in reserve for the first stream of a process. Who makes that first, Node's modules or the scenario, depends on what was loaded.
        void process.stderr;
        const before = descriptors();
        recorder.noteAtEnd('descriptors left', () => descriptors() - before);
        recorder.factAtEnd(STATE, (): State => ({ isInstalled: isInstalled(), surroundings: surroundings() }));
        await scenario.run(recorder);
      },
    },
  ]);
  return Object.fromEntries(recorded);
}

export function stateOf({ facts }: Recording): State {
  const [state] = facts[STATE] ?? [];
  if (state === undefined) throw new Error('no state was recorded');
  return state as State;
}

/** Bytes that the watched file streams have read. */
export function streamBytes({ facts }: Recording): number {
  return (facts[READ_BYTES] ?? []).reduce((sum: number, bytes) => sum + Number(bytes), 0);
}
