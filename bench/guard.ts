// npm run bench:guard: check of our main gains. Only ratios of figures that are measured side by side, with wide margins:
// machines differ, and this one may be busy. A figure outside its margin is measured twice more.

import { extraCalls, openConnections } from './accept.js';
import { PLAIN, QUICK_PACE, sampleApply } from './apply.js';
import { type Client, withClient } from './client.js';
import { hasCompiler } from './compiler.js';
import { type Contender, stock, tuned } from './contenders.js';
import { onInterruption } from './interruption.js';
import { type Load, loadOf, measure } from './load.js';
import { withLoadClients } from './load-client.js';
import { ratioIn } from './load-figures.js';
import { hasProgram } from './machine.js';
import { ratioOf } from './ratio.js';
import { SPLIT, timeRequests, WHOLE, warmUpSmall } from './request-samples.js';
import { interleave } from './rounds.js';
import { kilobytes, withScratch, writeBodies } from './scratch.js';
import { withServers } from './server.js';
import { median } from './statistics.js';

interface Check {
  readonly what: string;
  readonly atMost: number;
  /** Missing requirement; undefined if all are met. */
  readonly missing?: string | undefined;
  measure(): Promise<number>;
}

const PACE = { rounds: 5, seconds: 0.15, warmUp: { requests: 8000, bytes: 1e9 } } as const;
const LIMIT = { requests: 3000, seconds: 0.3 } as const;
const CONNECTIONS = 1500;
const SMALL_APP = 'apps/echo-length';

/** Server CPU of a file: the tuned app's share of the stock app's. */
function fileRatio(kilobyteCount: number, protocol: Load['protocol']): Promise<number> {
  const body = kilobytes(kilobyteCount);
  const app = protocol === 'http' ? 'apps/file-server' : 'apps/raw-file-server';
  const load = loadOf({ x: body.bytes, label: body.name, body, connections: 8 }, protocol);
  return withScratch(async (scratch) => {
    writeBodies(scratch, [body]);
    const environment = { FILES: scratch };
    const [measured] = await withLoadClients((open) =>
      withServers([stock(app, environment), tuned(app, environment)], (contenders) =>
        measure(open, contenders, [load], PACE),
      ),
    );
    return measured === undefined ? Number.NaN : ratioIn(measured, 'cpuMicroseconds', 'tuned', 'stock').value;
  });
}

/** Ratio of the tuned app to the stock app, without files. */
function smallRatio(of: (client: Client, contender: Contender) => Promise<number>): Promise<number> {
  return withServers([stock(SMALL_APP), tuned(SMALL_APP)], (contenders) =>
    withClient(async (client) => {
      await warmUpSmall(client, contenders);
      const [plain = [], ours = []] = await interleave(contenders, PACE.rounds, (contender) => of(client, contender));
      return ratioOf(ours, plain).value;
    }),
  );
}

async function applyRatio(): Promise<number> {
  const perOption = (preset: string): number => {
    const found = samples.find((sample) => sample.preset === preset);
    return found === undefined ? Number.NaN : median(found.nanosecondsPerCall) / found.options;
  };
  const samples = await sampleApply(QUICK_PACE);
  return perOption('default') / perOption(PLAIN);
}

const CHECKS: readonly Check[] = [
  { what: 'CPU of a 10 KB file over HTTP, tuned/stock', atMost: 0.85, measure: () => fileRatio(10, 'http') },
  { what: 'CPU of a 100 KB file over HTTP, tuned/stock', atMost: 0.8, measure: () => fileRatio(100, 'http') },
  { what: 'CPU of a 1 MB file over HTTP, tuned/stock', atMost: 0.8, measure: () => fileRatio(1 << 10, 'http') },
  {
    what: 'CPU of a 1 MB file over plain TCP, tuned/stock',
    atMost: 0.85,
    missing: hasCompiler ? undefined : 'a C compiler',
    measure: () => fileRatio(1 << 10, 'raw'),
  },
  {
    what: 'CPU of a small request, tuned/stock',
    atMost: 1.25,
    measure: () => smallRatio(async (...to) => (await timeRequests(...to, WHOLE, LIMIT)).cpuMicroseconds),
  },
  {
    what: 'time of a request in two writes, tuned/stock',
    atMost: 0.25,
    measure: () => smallRatio(async (...to) => (await timeRequests(...to, SPLIT, LIMIT)).p50Milliseconds),
  },
  {
    what: 'CPU of a new connection, tuned/stock',
    atMost: 1.25,
    measure: () => smallRatio(async (...to) => (await openConnections(...to, CONNECTIONS)).cpuMicroseconds),
  },
  {
    what: 'calls of setsockopt and getsockopt that later connections have more',
    atMost: 0,
    missing: hasProgram('strace') ? undefined : 'strace',
    measure: async () => (await withClient(extraCalls)).extra,
  },
  { what: 'time of apply for each option / of a plain setsockopt', atMost: 4, measure: applyRatio },
];

const MEASUREMENTS = 3;

/** @returns whether the figure is within its margin */
async function holds({ what, atMost, measure: figure }: Check): Promise<boolean> {
  for (let time = 1; time <= MEASUREMENTS; time++) {
    const measured = await figure();
    const within = measured <= atMost;
    const again = !within && time < MEASUREMENTS ? ', measured again' : '';
    console.log(`${within ? 'ok' : 'NOT OK'}  ${what}: ${+measured.toFixed(2)} (at most ${atMost})${again}`);
    if (within) return true;
  }
  return false;
}

async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const check of CHECKS) {
    if (check.missing !== undefined) console.log(`skipped  ${check.what}: ${check.missing} is not installed`);
    else if (await holds(check)) passed++;
    else failed++;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

onInterruption(() => undefined);

await main();
