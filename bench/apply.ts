import { execFileSync } from 'node:child_process';
import { entry, pinned, SERVER_CORE } from './machine.js';
import { type Effort, goal, type Result, type Scenario } from './scenario.js';
import { median } from './statistics.js';

const ROUNDS = 15;
const CALLS = 100_000;
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

/** In a process of its own: heap and compiler of this one hold other things. */
function sample(rounds: number): ApplySamples[] {
  const flags = ['--expose-gc', ...YOUNG_GENERATION];
  const command = [process.execPath, ...flags, entry('apply-process'), String(rounds), String(CALLS)];
  const [program, ...rest] = pinned(SERVER_CORE, command);
  return JSON.parse(execFileSync(program, rest, { encoding: 'utf8' }));
}

function run({ quick }: Effort): Promise<Result> {
  const rounds = quick ? 5 : ROUNDS;
  const rows = sample(rounds).map(({ preset, options, nanosecondsPerCall, bytesPerCall }) => {
    const perOption = median(nanosecondsPerCall) / options;
    const bytes = median(bytesPerCall);
    return [
      preset,
      options,
      median(nanosecondsPerCall),
      perOption,
      goal(perOption, GOAL_NANOSECONDS, ' ns'),
      bytes,
      goal(Math.round(bytes), 0, ' bytes'),
    ];
  });
  return Promise.resolve({
    tables: [
      {
        title: 'apply(socket, config) on an accepted TCP connection',
        columns: ['config', 'options set', 'ns a call', 'ns an option', 'goal', 'bytes a call', 'goal'],
        rows,
      },
    ],
    notes: [
      `medians of ${rounds} rounds of ${CALLS} calls; bytes: what the heap has grown by, nothing being collected`,
    ],
  });
}

export const apply: Scenario = { name: 'apply', what: 'setting the options of a config on one connection', run };
