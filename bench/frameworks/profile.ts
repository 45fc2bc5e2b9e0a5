import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, stock, tuned } from '../contenders.js';
import { loadOf, serve } from '../load.js';
import { type Limit, type OpenClient, withLoadClients } from '../load-client.js';
import { hasProgram, unpin } from '../machine.js';
import { cpuClock } from '../process-usage.js';
import { interleaveByName } from '../rounds.js';
import type { Cell, Effort, Result, Scenario } from '../scenario.js';
import { kilobytes, withScratch, writeBodies } from '../scratch.js';
import { withServers } from '../server.js';
import { median } from '../statistics.js';

/** One line of a profile: the name of a thread, the file that its code comes from, and the function. */
interface Place {
  readonly thread: string;
  readonly object: string;
  readonly symbol: string;
}

const KERNEL = '[kernel.kallsyms]';

/** The parts of a request's time. The first that fits counts. */
const PARTS: readonly (readonly [part: string, holds: (place: Place) => boolean])[] = [
  ['thread pool', ({ thread }) => thread === 'libuv-worker'],
  ['V8’s own threads: compiler, garbage collector', ({ thread }) => thread === 'node-V8Worker'],
  ['system calls', ({ object }) => object === KERNEL],
  ['socket-tune', ({ symbol }) => /\/dist\/(?:register|runtime)\.js:/.test(symbol)],
  ['koffi', ({ object }) => object === 'koffi.node'],
  ['Express, send and their packages', ({ symbol }) => symbol.includes('/node_modules/')],
  ['Node: HTTP', ({ symbol }) => / node:(?:_http|internal\/http)/.test(symbol)],
  ['Node: streams and events', ({ symbol }) => / node:(?:internal\/streams|stream|events)/.test(symbol)],
  ['Node: fs', ({ symbol }) => / node:(?:fs|internal\/fs)/.test(symbol)],
  ['Node: other JavaScript', ({ symbol }) => / node:/.test(symbol)],
  ['V8, Node’s C++ and the C library', () => true],
];

/** `  12.34%  1234  node-MainThread  [JIT] tid 42  [.] JS:*'emit node:events:488` */
const LINE = /^ *[\d.]+% +(\d+) +(\S+) +(\[JIT\] tid \d+|\S+) +\[.\] (.*?) *$/;

/** What share of the samples each part has. */
export function sharesIn(report: string): Map<string, number> {
  const samples = new Map<string, number>();
  let total = 0;
  for (const line of report.split('\n')) {
    const [, count = '', thread = '', object = '', symbol = ''] = LINE.exec(line) ?? [];
    const part = count === '' ? undefined : PARTS.find(([, holds]) => holds({ thread, object, symbol }))?.[0];
    if (part === undefined) continue;
    samples.set(part, (samples.get(part) ?? 0) + Number(count));
    total += Number(count);
  }
  return new Map([...samples].map(([part, count]) => [part, count / total]));
}

const BODY = kilobytes(10);
const LOAD = loadOf({ x: BODY.bytes, label: BODY.name, body: BODY, connections: 8 });

/** Node's compiler works for thousands of requests. */
const WARM_UP: Limit = { seconds: 10, requests: 20_000 };
const ROUND: Limit = { seconds: 1 };
const PROFILED: Limit = { seconds: 4 };
const SAMPLES_A_SECOND = 4999;

/** V8 tells perf what code it makes, in a file beside others of its kind. */
const OPTIONS = '--perf-basic-prof';

function mapOf(pid: number): string {
  return `/tmp/perf-${pid}.map`;
}

/** Profile a process while `act` runs. perf counts time on the processor, of all threads. */
async function profile(pid: number, file: string, act: () => Promise<unknown>): Promise<string> {
  const how = ['record', '-q', '-e', 'cpu-clock', '-F', String(SAMPLES_A_SECOND), '-p', String(pid), '-o', file];
  const perf = spawn('perf', how, { stdio: 'ignore' });
  const exit = once(perf, 'exit');
  await act();
  perf.kill('SIGINT');
  await exit;
  const what = ['report', '-q', '-i', file, '--stdio', '-n', '--sort', 'comm,dso,symbol'];
  return execFileSync('perf', what, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
}

/** CPU of one request in microseconds, by part. */
type Spent = ReadonlyMap<string, number>;

async function timeOf(open: OpenClient, { server }: Contender): Promise<number> {
  const { body, connections, protocol } = LOAD;
  const client = await open({ port: server.port, protocol, path: body.name, bodyLength: body.bytes, connections });
  const seconds = cpuClock(server.pid);
  await server.idle();
  const before = seconds();
  const { requests } = await client.run(ROUND);
  const after = seconds();
  await client.close();
  return ((after - before) / requests) * 1e6;
}

/** The time is taken without the profiler, which has its price. */
async function measureAll(
  open: OpenClient,
  contenders: readonly Contender[],
  rounds: number,
  scratch: string,
): Promise<Map<string, Spent>> {
  for (const contender of contenders) {
    unpin(contender.server.pid);
    await serve(open, contender, LOAD, WARM_UP);
  }
  const times = await interleaveByName(contenders, rounds, (contender) => timeOf(open, contender));
  const measured = new Map<string, Spent>();
  for (const contender of contenders) {
    const { name, server } = contender;
    const report = await profile(server.pid, join(scratch, name), () => serve(open, contender, LOAD, PROFILED));
    const time = median(times.get(name) ?? []);
    measured.set(name, new Map([...sharesIn(report)].map(([part, share]) => [part, share * time])));
    rmSync(mapOf(server.pid), { force: true });
  }
  return measured;
}

function measureSet(open: OpenClient, scratch: string, files: string, rounds: number): Promise<Map<string, Spent>> {
  const app = 'frameworks/apps/express';
  const environment = { FILES: files, NODE_OPTIONS: OPTIONS };
  // V8 leaves a log in the current directory.
  const under = ['env', '-C', scratch];
  return withServers([stock(app, environment, under), tuned(app, environment, under)], (contenders) =>
    measureAll(open, contenders, rounds, scratch),
  );
}

function sum(spent: Spent): number {
  return [...spent.values()].reduce((total, one) => total + one, 0);
}

function rowsOf(sets: readonly ReadonlyMap<string, Spent>[]): Cell[][] {
  const row = (name: string, figure: (spent: Spent) => number): Cell[] => [
    name,
    ...['stock', 'tuned'].map((contender) => median(sets.map((set) => figure(set.get(contender) ?? new Map())))),
  ];
  return [...PARTS.map(([part]) => row(part, (spent) => spent.get(part) ?? 0)), row('in all', sum)];
}

/** Sets of processes, one after the other: a process keeps its luck for life. */
const setsFor = ({ quick }: Effort): number => (quick ? 1 : 3);

async function profileApps(effort: Effort): Promise<Result> {
  const rounds = effort.quick ? 3 : 7;
  const sets = await withScratch((scratch) =>
    withLoadClients(async (open) => {
      const files = join(scratch, 'files');
      mkdirSync(files);
      writeBodies(files, [BODY]);
      const measured: Map<string, Spent>[] = [];
      for (let set = 0; set < setsFor(effort); set++) measured.push(await measureSet(open, scratch, files, rounds));
      return measured;
    }),
  );
  return {
    tables: [{ title: PROFILE_TITLE, columns: ['part', 'stock', 'tuned'], rows: rowsOf(sets) }],
    notes: [
      `express.static, 10 KB, ${LOAD.connections} connections, kept alive; servers on all cores; medians of ${sets.length} processes`,
      'each line is a median of its own, so they do not add up exactly',
    ],
  };
}

async function run(effort: Effort): Promise<Result> {
  if (hasProgram('perf')) return profileApps(effort);
  return { tables: [], notes: ['perf is not installed (Debian: linux-perf): no profile'] };
}

export const PROFILE_TITLE = 'Where a request of Express spends its CPU time, in microseconds';

export const profileScenario: Scenario = {
  name: 'profile',
  what: 'the parts of the CPU time of a 10 KB file by Express: its own code, Node, socket-tune, the thread pool',
  run,
};
