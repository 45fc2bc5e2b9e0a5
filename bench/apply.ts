import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { goal } from './goal.js';
import { entry, pinned, SERVER_CORE } from './machine.js';
import { remembered } from './remembered.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { median } from './statistics.js';

/** How often, in how many rounds, `apply` is called. */
interface ApplyPace {
  readonly rounds: number;
  readonly calls: number;
}

const execute = promisify(execFile);

const ROUNDS = 15;
export const QUICK_PACE: ApplyPace = { rounds: 5, calls: 20_000 };
const GOAL_NANOSECONDS = 600;

/** Young enough that nothing is collected while a round runs: then what the heap has grown by is what was allocated. */
const YOUNG_GENERATION = ['--min-semi-space-size=64', '--max-semi-space-size=64'] as const;

/** What the process answers, for each preset. */
export interface ApplySamples {
  readonly preset: string;
  /** Options that a call sets. */
  readonly options: number;
  readonly nanosecondsPerCall: readonly number[];
  readonly bytesPerCall: readonly number[];
}

/** What the plain call of setsockopt is called among them, with which they are compared. */
export const PLAIN = 'a plain setsockopt by koffi';

/** In a process of its own: heap and compiler of this one hold other things. */
export async function sampleApply({ rounds, calls }: ApplyPace): Promise<ApplySamples[]> {
  const flags = ['--expose-gc', ...YOUNG_GENERATION];
  const command = [process.execPath, ...flags, entry('apply-process'), String(rounds), String(calls)];
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const { stdout } = await execute(program, rest);
  return JSON.parse(stdout);
}

const paceFor = ({ quick }: Effort): ApplyPace => (quick ? QUICK_PACE : { rounds: ROUNDS, calls: 100_000 });

/** What `apply` costs with each config; made once. */
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

export const apply: Scenario = { name: 'apply', what: 'setting the options of a config on one connection', run };
