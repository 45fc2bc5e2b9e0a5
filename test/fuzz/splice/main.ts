// npm run test:fuzz:splice -- [--seconds N] [--seed N] [--session N] [--stock] [--all]

import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generate } from './generate.js';
import { judge } from './judge.js';
import { openPeers } from './peers.js';
import { ProxyProcess } from './proxy-process.js';

const HELP = `Pipes sockets into each other in random ways, and compares every byte with what must have come.

  --seconds N    how long to go on; 20 unless said otherwise
  --seed N       what the sessions are made from; a random number unless said otherwise
  --session N    only this session, once, or again and again for as long as --seconds says
  --lanes N      how many sessions at the same time
  --stock        without socket-tune: what the oracle expects is what Node does
  --all          go on after a session that is wrong
`;

const LANES = 4;

/** A run with so many sessions must have spliced something. */
const TELLING_SESSIONS = 20;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    session: { type: 'string' },
    lanes: { type: 'string' },
    stock: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function numberOf(name: 'seconds' | 'seed' | 'session' | 'lanes'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new Error(`--${name} must be a number, not ${text}`);
  return Number(text);
}

interface Tally {
  sessions: number;
  failed: number;
  lines: number;
  bytes: number;
  acts: number;
}

async function runSession(
  proxy: ProxyProcess,
  seed: number,
  number: number,
  turn: number,
  directory: string,
  tally: Tally,
): Promise<string[]> {
  const plan = generate(seed, number);
  const peers = await Promise.all(plan.lines.map((line, index) => openPeers(line, directory, `${turn}-${index}`)));
  const places = await proxy.begin(
    turn,
    plan,
    peers.map((one) => one.places),
  );
  const hangs = await Promise.all(peers.map((one, index) => one.run(places[index] ?? 0)));
  const records = await proxy.finish(turn);
  tally.sessions++;
  const problems: string[] = [];
  for (const [index, line] of plan.lines.entries()) {
    const [one, record] = [peers[index], records[index]];
    if (one === undefined || record === undefined) throw new Error(`no line ${index}`);
    tally.lines++;
    tally.acts += record.acts;
    tally.bytes += one.back.length + one.received.reduce((sum, { length }) => sum + length, 0);
    problems.push(...judge(line, one, record, hangs[index]).map((problem) => `line ${index}: ${problem}`));
  }
  if (problems.length > 0) tally.failed++;
  return problems;
}

async function runAll(proxy: ProxyProcess, seed: number, directory: string): Promise<Tally> {
  const tally: Tally = { sessions: 0, failed: 0, lines: 0, bytes: 0, acts: 0 };
  const session = numberOf('session');
  const until = performance.now() + (numberOf('seconds') ?? (session === undefined ? 20 : 0)) * 1000;
  let next = 0;
  const isOver = (): boolean => (next > 0 && performance.now() >= until) || (tally.failed > 0 && !values.all);
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const turn = next++;
      const number = session ?? turn;
      const problems = await runSession(proxy, seed, number, turn, directory, tally);
      if (problems.length === 0) continue;
      const again = `npm run test:fuzz:splice -- --seed ${seed} --session ${number}${values.stock ? ' --stock' : ''}`;
      console.log(`WRONG: seed ${seed}, session ${number}; again: ${again}`);
      for (const problem of problems) console.log(`  ${problem}`);
      console.log(`  ${JSON.stringify(generate(seed, number))}`);
    }
  };
  await Promise.all(Array.from({ length: numberOf('lanes') ?? (session === undefined ? LANES : 1) }, lane));
  return tally;
}

async function fuzz(): Promise<boolean> {
  const seed = numberOf('seed') ?? randomInt(2 ** 31);
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-splice-'));
  const proxy = new ProxyProcess(directory, !values.stock);
  try {
    const { sessions, failed, lines, bytes, acts } = await runAll(proxy, seed, directory);
    const { code, signal, stderr, report } = await proxy.stop();
    console.log(
      `seed ${seed}, Node ${process.version}, ${values.stock ? 'stock' : 'tuned'}: ${sessions} sessions, ${failed} wrong, ${lines} lines, ${acts} acts, ${(bytes / 1e6).toFixed(1)} MB`,
    );
    const spliced = report?.splices.bytes ?? 0;
    if (report !== undefined) console.log(`${(spliced / 1e6).toFixed(1)} MB by splice`);
    const problems = [
      ...(code === 0 ? [] : [`the proxy ended with ${signal ?? code}`]),
      ...(stderr === '' ? [] : [`the proxy printed ${stderr}`]),
      ...((report === undefined) === values.stock ? [] : [values.stock ? 'socket-tune was there' : 'no report']),
      ...(!values.stock && sessions >= TELLING_SESSIONS && spliced < bytes / 20 ? ['hardly anything was spliced'] : []),
    ];
    for (const problem of problems) console.log(`WRONG: ${problem}`);
    return failed === 0 && problems.length === 0;
  } finally {
    proxy.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (values.help) console.log(HELP);
else if (!(await fuzz())) process.exitCode = 1;
