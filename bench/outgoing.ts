import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { entry, PRELOAD } from './machine.js';
import { ratioOf } from './ratio.js';
import { interleaveByName, pool } from './rounds.js';
import type { Cell, Effort, Result, Scenario } from './scenario.js';
import { startProcess } from './server.js';
import { median } from './statistics.js';

/** Times of one sample: some ten milliseconds, so that a slow moment of the machine meets all contenders. */
const TIMES: Readonly<Record<string, number>> = {
  connection: 120,
  'a request on a connection of its own': 60,
  'http.Agent': 160,
  fetch: 80,
};

/** Samples that do not count: V8 compiles meanwhile. */
const WARM_UPS = 40;

const CONTENDERS: Readonly<Record<string, string | undefined>> = { stock: undefined, off: 'off', guard: 'guard' };

interface Client {
  readonly name: string;
  readonly child: ChildProcess;
}

function startClient(name: string, mode: string | undefined, port: string): Client {
  const execArgv = mode === undefined ? [] : ['--import', PRELOAD];
  const env = { ...process.env, ...(mode === undefined ? {} : { SOCKET_TUNE_CONNECT: mode }) };
  return { name, child: fork(entry('apps/outgoing-client'), [port], { execArgv, env }) };
}

async function sample({ child }: Client, way: string): Promise<number> {
  const answered = once(child, 'message');
  child.send([way, TIMES[way]]);
  const [microseconds] = await answered;
  return microseconds;
}

/** Samples of one set of processes. */
async function sampleSet(way: string, port: string, rounds: number): Promise<Map<string, readonly number[]>> {
  const clients = Object.entries(CONTENDERS).map(([name, mode]) => startClient(name, mode, port));
  try {
    const samples = await interleaveByName(clients, WARM_UPS + rounds, (client) => sample(client, way));
    return new Map([...samples].map(([name, all]) => [name, all.slice(WARM_UPS)]));
  } finally {
    for (const { child } of clients) child.disconnect();
  }
}

function row(way: string, samples: ReadonlyMap<string, readonly number[]>): Cell[] {
  const of = (name: string): readonly number[] => samples.get(name) ?? [];
  const ratio = (base: string): number => median(ratioOf(of('guard'), of(base)).rounds);
  return [way, ...Object.keys(CONTENDERS).map((name) => median(of(name))), ratio('off'), ratio('stock')];
}

async function run({ quick }: Effort): Promise<Result> {
  const server = startProcess([process.execPath, entry('apps/answer-posts')]);
  try {
    if (server.child.stdout === null) throw new Error('no output');
    const [port] = await once(server.child.stdout, 'data');
    const rows: Cell[][] = [];
    for (const way of Object.keys(TIMES)) {
      const sets: Map<string, readonly number[]>[] = [];
      for (let set = 0; set < (quick ? 1 : 4); set++)
        sets.push(await sampleSet(way, String(port).trim(), quick ? 20 : 120));
      rows.push(row(way, pool(sets)));
    }
    return {
      tables: [
        {
          title: 'CPU of a client for a connection, or for a request on a pooled one, in microseconds',
          columns: ['what', ...Object.keys(CONTENDERS), 'guard/off', 'guard/stock'],
          rows,
        },
      ],
      notes: ['the ratios are medians of paired samples, which follow one another within some ten milliseconds'],
    };
  } finally {
    await server.stop();
  }
}

export const outgoing: Scenario = {
  name: 'outgoing',
  what: 'what the guard costs the connections that a process opens',
  onlyByName: true,
  run,
};
