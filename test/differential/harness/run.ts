import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { BY_IMPORT, type EndedProcess, startNode } from '../../support/processes/node-process.js';
import { readReports, reportPattern } from '../../support/processes/reports.js';
import { scratchProject } from '../../support/processes/scratch-project.js';
import type { Recording } from './recorder.js';
import type { Plan } from './scenario.js';

/** How scenarios are run. */
export interface Way {
  readonly preload: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export const STOCK: Way = { preload: [], env: {} };

/** Under the preload, with settings of its own. */
export function tuned(env: Way['env'] = {}): Way {
  return { preload: BY_IMPORT, env };
}

export interface RunOptions {
  /** How many scenarios run at the same time. */
  readonly lanes?: number;
  readonly timeout?: number;
}

/** Scenarios that one process has run. */
export interface Run {
  /** With its own report. */
  readonly process: EndedProcess;
  /** By the name of the process: `main`, and the workers of a cluster. Each has a recording of every scenario, in their order. */
  readonly recordings: ReadonlyMap<string, readonly Recording[]>;
  /** The reports of processes that the scenarios have started. */
  readonly otherReports: readonly Report[];
}

const PROGRAM = join(import.meta.dirname, 'program.js');
const RECORDING = /^recording-(.+)\.json$/;

function readRecordings(directory: string): ReadonlyMap<string, readonly Recording[]> {
  const named = readdirSync(directory).flatMap((file) => {
    const [, name] = RECORDING.exec(file) ?? [];
    if (name === undefined) return [];
    return [[name, JSON.parse(readFileSync(join(directory, file), 'utf8')) as readonly Recording[]] as const];
  });
  return new Map(named);
}

/** Runs scenarios of a module in a process of their own, in the scratch project. */
export async function run(
  module: string,
  titles: readonly string[],
  { preload, env }: Way,
  { lanes = 1, ...options }: RunOptions = {},
): Promise<Run> {
  const directory = mkdtempSync(join(scratchProject(), 'scenario-'));
  const plan: Plan = { module, titles, lanes };
  writeFileSync(join(directory, 'plan.json'), JSON.stringify(plan));
  const pattern = reportPattern();
  const { child, ended } = startNode([...preload, PROGRAM, directory], {
    ...options,
    env: { ...env, SOCKET_TUNE_REPORT: pattern },
  });
  const process = await ended;
  if (!existsSync(join(directory, 'recording-main.json'))) {
    throw new Error(`nothing was recorded: ${JSON.stringify(process)}`);
  }
  const reports = readReports(pattern);
  return {
    process: { ...process, report: reports.get(child.pid ?? 0) },
    recordings: readRecordings(directory),
    otherReports: [...reports].flatMap(([pid, report]) => (pid === child.pid ? [] : [report])),
  };
}

/** What the process itself has seen of a scenario. */
export function mainRecording({ recordings }: Run, index = 0): Recording {
  const recording = recordings.get('main')?.[index];
  if (recording === undefined) throw new Error(`no recording of scenario ${index}`);
  return recording;
}
