import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { COMPILER, compile, hasCompiler } from './compiler.js';
import { goalOfRatio } from './goal.js';
import { CLIENT_CORE, entry, PRELOAD, pinned, SERVER_CORE } from './machine.js';
import { ratioCell, ratioOf } from './ratio.js';
import { interleave } from './rounds.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { withScratch } from './scratch.js';
import { startProcess } from './server.js';
import { median } from './statistics.js';

const execute = promisify(execFile);

const BURST = 32;
const BURST_GOAL = 0.35;
const SINGLE_GOAL = 1.02;

/** How an app sends. */
interface Pattern {
  readonly name: string;
  readonly burst: number;
  readonly goal: number;
  readonly words: readonly string[];
}

const PATTERNS: readonly Pattern[] = [
  { name: `${BURST} a tick`, burst: BURST, goal: BURST_GOAL, words: [] },
  { name: `${BURST} a tick, connected`, burst: BURST, goal: BURST_GOAL, words: ['connected'] },
  { name: 'one a tick', burst: 1, goal: SINGLE_GOAL, words: [] },
  { name: 'one a tick, connected', burst: 1, goal: SINGLE_GOAL, words: ['connected'] },
];

const TUNED = { SOCKET_TUNE_PRESET: 'none', SOCKET_TUNE_UDP_GSO: 'on' };

type Sender = (port: number) => readonly [command: readonly string[], environment?: Readonly<Record<string, string>>];

function sendersOf({ burst, words }: Pattern, count: number, program: string): Readonly<Record<string, Sender>> {
  const app = (port: number): string[] => [entry('apps/datagrams'), `${port}`, `${count}`, `${burst}`, ...words];
  return {
    stock: (port) => [[process.execPath, ...app(port)]],
    tuned: (port) => [[process.execPath, '--import', PRELOAD, ...app(port)], TUNED],
    'C, a call each': (port) => [[program, `${port}`, `${count}`, '1']],
    ...(burst > 1 && { 'C, UDP_SEGMENT': (port: number) => [[program, `${port}`, `${count}`, `${burst}`]] as const }),
  };
}

async function announcedPort({ stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('no standard output');
  const [line] = await once(stdout, 'data');
  return Number.parseInt(String(line), 10);
}

async function microseconds(sender: Sender, port: number): Promise<number> {
  const [command, environment] = sender(port);
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const { stdout } = await execute(program, rest, { env: { ...process.env, ...environment } });
  return Number.parseFloat(stdout);
}

async function measure(pattern: Pattern, { quick }: Effort, program: string): Promise<Cell[][]> {
  const count = (quick ? 20_000 : 100_000) * (pattern.burst > 1 ? 2 : 1);
  const senders = Object.entries(sendersOf(pattern, count, program));
  const receiver = startProcess(pinned(CLIENT_CORE, [program, 'receive']));
  try {
    const port = await announcedPort(receiver.child);
    const samples = await interleave(senders, quick ? 3 : 9, ([, sender]) => microseconds(sender, port));
    const [stock = []] = samples;
    return senders.map(([name], index) => {
      const own = samples[index] ?? [];
      const ratio = ratioOf(own, stock);
      const verdict = name === 'tuned' ? goalOfRatio(ratio, { atMost: pattern.goal }) : '';
      return [pattern.name, name, median(own), name === 'stock' ? '' : ratioCell(ratio), verdict];
    });
  } finally {
    await receiver.stop();
  }
}

function run(effort: Effort): Promise<Result> {
  if (!hasCompiler) throw new Error(`no C compiler: ${COMPILER}`);
  return withScratch(async (scratch) => {
    const program = compile('datagrams', scratch);
    const rows: Cell[][] = [];
    for (const pattern of PATTERNS) rows.push(...(await measure(pattern, effort, program)));
    return {
      tables: [
        {
          title: 'Datagrams of 1,200 bytes over loopback, with callbacks',
          columns: ['pattern', 'sender', 'µs of CPU each', 'of stock', 'goal'],
          rows,
        },
      ],
      notes: [
        'SOCKET_TUNE_UDP_GSO=on; the CPU of the sender, in which the kernel also puts the datagrams into the receiver’s queue',
        'a receiver on the other core reads and discards; medians of rounds, each with new processes',
      ],
    };
  });
}

export const datagrams: Scenario = {
  name: 'datagrams',
  what: 'CPU of datagrams that one tick sends, by one system call or by one each (C compiler needed)',
  onlyByName: true,
  run,
};
