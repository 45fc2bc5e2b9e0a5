import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import type { Ended } from './app-process.js';
import { type Defaults, helpOn, type Options, parseOptions } from './options.js';

export interface Fuzzer<Plan> {
  /** Its name in package.json. */
  readonly script: string;
  readonly about: string;
  readonly defaults: Defaults;
  generate(seed: number, number: number): Plan;
  start(directory: string, isTuned: boolean): Run<Plan>;
}

/** A process of an app, and the sessions that it plays. */
export interface Run<Plan> {
  readonly app: { stop(): Promise<Ended>; kill(): void };
  /**
   * Returns what was wrong.
   *
   * @param turn a number that no other session of this run has
   */
  play(turn: number, plan: Plan): Promise<readonly string[]>;
  /** What the sessions add up to. */
  sums(): string;
  /** What the report of a tuned app has to say. Problems are those of the whole run. */
  judge(report: Report, sessions: number): { readonly figures: string; readonly problems: readonly string[] };
}

interface Tally {
  sessions: number;
  wrong: number;
}

async function playAll<Plan>(fuzzer: Fuzzer<Plan>, options: Options, run: Run<Plan>): Promise<Tally> {
  const { seed, isTuned } = options;
  const tally = { sessions: 0, wrong: 0 };
  const until = performance.now() + options.seconds * 1000;
  let next = 0;
  const isOver = (): boolean => (next > 0 && performance.now() >= until) || (tally.wrong > 0 && !options.goesOn);
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const turn = next++;
      const number = options.session ?? turn;
      const plan = fuzzer.generate(seed, number);
      const problems = await run.play(turn, plan);
      tally.sessions++;
      if (problems.length === 0) continue;
      tally.wrong++;
      const again = `npm run ${fuzzer.script} -- --seed ${seed} --session ${number}${isTuned ? '' : ' --stock'}`;
      console.log(`WRONG: seed ${seed}, session ${number}; again: ${again}`);
      for (const problem of problems) console.log(`  ${problem}`);
      console.log(`  ${JSON.stringify(plan)}`);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return tally;
}

function whatIsWrong({ code, signal, stderr, report }: Ended, isTuned: boolean): string[] {
  const problems: string[] = [];
  if (code !== 0) problems.push(`the app ended with ${signal ?? code}`);
  if (stderr !== '') problems.push(`the app printed ${stderr}`);
  if ((report !== undefined) !== isTuned) problems.push(isTuned ? 'no report' : 'socket-tune was there');
  return problems;
}

async function fuzz<Plan>(fuzzer: Fuzzer<Plan>, options: Options): Promise<boolean> {
  const { seed, isTuned } = options;
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const run = fuzzer.start(directory, isTuned);
  try {
    const { sessions, wrong } = await playAll(fuzzer, options, run);
    const ended = await run.app.stop();
    const mode = isTuned ? 'tuned' : 'stock';
    console.log(`seed ${seed}, Node ${process.version}, ${mode}: ${sessions} sessions, ${wrong} wrong, ${run.sums()}`);
    const problems = whatIsWrong(ended, isTuned);
    if (ended.report !== undefined) {
      const judgement = run.judge(ended.report, sessions);
      console.log(judgement.figures);
      problems.push(...judgement.problems);
    }
    for (const problem of problems) console.log(`WRONG: ${problem}`);
    return wrong === 0 && problems.length === 0;
  } finally {
    run.app.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The main program of a fuzzer. */
export async function runFuzzer<Plan>(fuzzer: Fuzzer<Plan>): Promise<void> {
  const options = parseOptions(fuzzer.defaults);
  if (options === undefined) console.log(`${fuzzer.about}\n${helpOn(fuzzer.defaults)}`);
  else if (!(await fuzz(fuzzer, options))) process.exitCode = 1;
}
