/**
 * `npm run test:node-core`: Node's own tests, from Debian's source package, stock and under the preload. A test that passes stock must
 * pass tuned. `-- --grep TEXT` runs those with TEXT in their names, `-- --limit N` the first N of each group. `-- --set
 * SOCKET_TUNE_REUSEPORT=on` sets a variable for all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type CoreTest, findTests, type Outcome, runTest } from './core-test.js';
import { fetchSources } from './sources.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const PRELOAD = pathToFileURL(join(root, 'dist/register.js')).href;
const GROUPS = ['net', 'http', 'https', 'http2', 'tls', 'fs-read-stream', 'stream', 'cluster'];

/** How many run at a time. */
const PLACES = 2;

/** A test that fails is run again so often, stock and tuned: some of Node's tests fail now and then. */
const REPETITIONS = 3;

type Variables = Readonly<Record<string, string>>;

/** In NODE_OPTIONS: child processes of a test have it as well, and `process.execArgv` stays as it was. */
const PRELOADED: Variables = { NODE_OPTIONS: `--import=${PRELOAD}` };

/** A preload that does nothing. A test that fails under it fails because of `--import`. */
const EMPTY: Variables = { NODE_OPTIONS: '--import=data:text/javascript,' };

/** Deviations of docs/deviations.md by their number there, each with the variable that turns its option off. */
const DEVIATIONS: ReadonlyMap<number, Variables> = new Map([
  [6, { SOCKET_TUNE_USER_TIMEOUT: 'off' }],
  [7, { SOCKET_TUNE_KEEPALIVE: 'off' }],
]);

type Verdict = 'passes' | 'fails stock' | { readonly cause: string } | { readonly failure: string };

interface Result {
  readonly test: CoreTest;
  readonly verdict: Verdict;
}

type Run = (variables: Variables) => Promise<Outcome>;

/** The last failure of some runs; undefined if one of them passed. */
async function failsAlways(run: Run, variables: Variables): Promise<string | undefined> {
  let output = '';
  for (let round = 0; round < REPETITIONS; round++) {
    const outcome = await run(variables);
    if (outcome.hasPassed) return undefined;
    output = outcome.output;
  }
  return output;
}

async function passesAlways(run: Run, variables: Variables): Promise<boolean> {
  for (let round = 0; round < REPETITIONS; round++) if (!(await run(variables)).hasPassed) return false;
  return true;
}

async function judge(run: Run, tuned: Variables): Promise<Verdict> {
  if (!(await run({})).hasPassed) return 'fails stock';
  if ((await run(tuned)).hasPassed) return 'passes';
  const failure = await failsAlways(run, tuned);
  if (failure === undefined) return 'passes';
  if (!(await passesAlways(run, {}))) return 'fails stock';
  if ((await failsAlways(run, EMPTY)) !== undefined) return { cause: 'fails under an empty preload as well' };
  for (const [deviation, variables] of DEVIATIONS) {
    if (await passesAlways(run, { ...tuned, ...variables }))
      return { cause: `point ${deviation} of docs/deviations.md` };
  }
  return { failure };
}

async function judgeAll(tests: readonly CoreTest[], tuned: Variables, scratch: string): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...tests];
  const work = async (place: number): Promise<void> => {
    for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
      const one = test;
      results.push({ test, verdict: await judge((variables) => runTest(one, place, scratch, variables), tuned) });
    }
  };
  await Promise.all(Array.from({ length: PLACES }, (_, place) => work(place)));
  return results;
}

function report(results: readonly Result[]): number {
  const failures: string[] = [];
  console.log(['group', 'run', 'pass stock', 'pass tuned', 'explained', 'fail tuned only'].join('\t'));
  for (const group of GROUPS) {
    const own = results.filter(({ test }) => test.group === group);
    const valid = own.filter(({ verdict }) => verdict !== 'fails stock');
    const passed = own.filter(({ verdict }) => verdict === 'passes');
    const failed = own.filter(({ verdict }) => typeof verdict === 'object' && 'failure' in verdict);
    const explained = valid.length - passed.length - failed.length;
    console.log([group, own.length, valid.length, passed.length, explained, failed.length].join('\t'));
  }
  for (const { test, verdict } of results) {
    if (typeof verdict === 'string') continue;
    if ('cause' in verdict) console.log(`${test.name}: ${verdict.cause}`);
    else failures.push(`\n${test.name} fails under the preload only:\n${verdict.failure}`);
  }
  for (const failure of failures) console.log(failure);
  return failures.length;
}

function chosen(tests: readonly CoreTest[], grep: string, limit: number): CoreTest[] {
  const named = tests.filter(({ name }) => name.includes(grep));
  return GROUPS.flatMap((group) => named.filter((test) => test.group === group).slice(0, limit));
}

/** `NAME=value` as it is written on the command line. */
function assignments(texts: readonly string[]): Variables {
  return Object.fromEntries(texts.map((text) => text.split('=', 2)));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { grep: { type: 'string' }, limit: { type: 'string' }, set: { type: 'string', multiple: true } },
  });
  const limit = Number(values.limit ?? Number.POSITIVE_INFINITY);
  if (Number.isNaN(limit)) throw new Error(`--limit ${values.limit}: expected a number`);
  const { directory, version } = await fetchSources(join(root, 'node_modules/.cache/socket-tune/node-core'));
  console.log(`tests of Node ${version}, run by Node ${process.version}`);
  const scratch = mkdtempSync(join(tmpdir(), 'node-core-'));
  const tuned = { ...PRELOADED, ...assignments(values.set ?? []) };
  try {
    const results = await judgeAll(chosen(findTests(directory, GROUPS), values.grep ?? '', limit), tuned, scratch);
    process.exitCode = report(results) === 0 ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main().catch((error) => {
  console.error(`test:node-core: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
