import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goal } from './goal.js';
import { entry, pinned, SERVER_CORE } from './machine.js';
import { remembered } from './remembered.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { median } from './statistics.js';

/** Calls of `apply` a round, and rounds. */
interface ApplyPace {
  readonly rounds: number;
  readonly calls: number;
}

const execute = promisify(execFile);

const ROUNDS = 15;
export const QUICK_PACE: ApplyPace = { rounds: 5, calls: 20_000 };
const GOAL_NANOSECONDS = 600;

/** Size of the young generation: no collection during a round, so the growth of the heap is the allocation. */
const YOUNG_GENERATION = ['--min-semi-space-size=64', '--max-semi-space-size=64'] as const;

/** Answer of the process, for each preset. */
export interface ApplySamples {
  readonly preset: string;
  /** Number of options that a call sets. */
  readonly options: number;
  readonly nanosecondsPerCall: readonly number[];
  readonly bytesPerCall: readonly number[];
}

/** Name of the plain setsockopt call, the baseline. */
export const PLAIN = 'a plain setsockopt by koffi';

/** Measure in a process of its own: the heap and the compiler of this one are in use. */
export async function sampleApply({ rounds, calls }: ApplyPace): Promise<ApplySamples[]> {
  const flags = ['--expose-gc', ...YOUNG_GENERATION];
  const command = [process.execPath, ...flags, entry('apply-process'), String(rounds), String(calls)];
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const { stdout } = await execute(program, rest);
  return JSON.parse(stdout);
}

const paceFor = ({ quick }: Effort): ApplyPace => (quick ? QUICK_PACE : { rounds: ROUNDS, calls: 100_000 });

/** Cost of `apply` with each config; measured once. */
export const applySamples = remembered((effort: Effort) => sampleApply(paceFor(effort)));

function row({ preset, options, nanosecondsPerCall, bytesPerCall }: ApplySamples): Cell[] {
  const perOption = median(nanosecondsPerCall) / options;
  const bytes = median(bytesPerCall);
  const figures = [preset, options, median(nanosecondsPerCall), perOption];
  if (preset === PLAIN) return [...figures, '', bytes, ''];
  return [...figures, goal(perOption, GOAL_NANOSECONDS, ' ns'), bytes, goal(Math.round(bytes), 0, ' bytes')];
}

async function run(effort: Effort): Promise<Result> {
  const samples = await applySamples(effort);
  const { rounds, calls } = paceFor(effort);
  return {
    tables: [
      {
        title: 'apply(socket, config) on an accepted TCP connection',
        columns: ['config', 'options set', 'ns a call', 'ns an option', 'goal', 'bytes a call', 'goal'],
        rows: samples.map(row),
      },
    ],
    comparisons: [
      {
        id: 'apply-time',
        title: 'Time to set one option of a connection from JavaScript',
        what: 'What `apply(socket, config)` takes for each option that it sets, beside the system call alone.',
        unit: 'ns an option',
        better: 'lower',
        kind: 'bars',
        xTitle: '',
        series: samples.map(({ preset, options, nanosecondsPerCall }) => ({
          contender: preset,
          points: [{ x: 'apply', samples: nanosecondsPerCall.map((nanoseconds) => nanoseconds / options) }],
        })),
      },
    ],
    notes: [
      `medians of ${rounds} rounds of ${calls} calls; bytes: what the heap has grown by, nothing being collected`,
    ],
  };
}

export const apply: Scenario = {
  name: 'apply',
  what: 'what it costs to set the options of a config on one connection',
  run,
};
