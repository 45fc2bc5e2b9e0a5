// npm run test:fuzz -- [--seconds N] [--seed N] [--session N] [--stock] [--all]

import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runSession, type SessionResult } from './run-session.js';
import { ServerProcess } from './server/server-process.js';
import { generate } from './session/generate.js';

const HELP = `Serves random sessions, and compares every byte with what must have come.

  --seconds N    how long to go on; 60 unless said otherwise
  --seed N       what the sessions are made from; a random number unless said otherwise
  --session N    only this session, once, or again and again for as long as --seconds says
  --lanes N      how many sessions at the same time
  --stock        without socket-tune: what the oracle expects is what Node does
  --all          go on after a session that is wrong
`;

/** So many sessions run at the same time. Some wait for a slow reader, and bytes of one must never reach another. */
const LANES = 8;

/** A run with so many sessions must reroute something in at least this share of those with files. */
const TELLING_SESSIONS = 50;
const LEAST_SHARE = 0.5;

interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly session: number | undefined;
  readonly lanes: number;
  readonly isTuned: boolean;
  readonly goesOn: boolean;
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new Error(`--${name} must be a number, not ${text}`);
  return Number(text);
}

function parse(): Options | undefined {
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
  if (values.help) return undefined;
  const session = numberOf('session', values.session);
  return {
    seconds: numberOf('seconds', values.seconds) ?? (session === undefined ? 60 : 0),
    seed: numberOf('seed', values.seed) ?? randomInt(2 ** 31),
    session,
    lanes: numberOf('lanes', values.lanes) ?? (session === undefined ? LANES : 1),
    isTuned: !values.stock,
    goesOn: values.all,
  };
}

/** What a run adds up to. */
class Tally {
  sessions = 0;
  failed = 0;
  bytes = 0;
  streams = 0;
  withFiles = 0;
  rerouted = 0;

  add({ problems, bytes, streams, routes }: SessionResult): void {
    this.sessions++;
    if (problems.length > 0) this.failed++;
    this.bytes += bytes;
    this.streams += streams;
    if (streams === 0) return;
    this.withFiles++;
    const { sendfile = 0, copied = 0 } = routes;
    if (sendfile + copied > 0) this.rerouted++;
  }
}

function printFailure({ seed, isTuned }: Options, number: number, problems: readonly string[]): void {
  const again = `npm run test:fuzz -- --seed ${seed} --session ${number}${isTuned ? '' : ' --stock'}`;
  console.log(`WRONG: seed ${seed}, session ${number}; again: ${again}`);
  for (const problem of problems) console.log(`  ${problem}`);
  console.log(`  ${JSON.stringify(generate(seed, number))}`);
}

async function runAll(options: Options, server: ServerProcess, directory: string): Promise<Tally> {
  const tally = new Tally();
  const until = performance.now() + options.seconds * 1000;
  let next = 0;
  const isOver = (): boolean => (next > 0 && performance.now() >= until) || (tally.failed > 0 && !options.goesOn);
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const turn = next++;
      const number = options.session ?? turn;
      // A session that is run again has a place of its own.
      const base = join(directory, String(turn));
      const session = generate(options.seed, number);
      const result = await runSession(server, turn, session, base, options.isTuned);
      tally.add(result);
      if (result.problems.length > 0) printFailure(options, number, result.problems);
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  return tally;
}

async function fuzz(options: Options): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const server = new ServerProcess(directory, options.isTuned);
  try {
    const tally = await runAll(options, server, directory);
    const { code, signal, stderr, report } = await server.stop();
    const { sessions, failed, bytes, streams, withFiles, rerouted } = tally;
    const { seed, isTuned } = options;
    console.log(
      `seed ${seed}, Node ${process.version}, ${isTuned ? 'tuned' : 'stock'}: ${sessions} sessions, ${failed} wrong, ${(bytes / 1e6).toFixed(1)} MB, ${streams} file streams`,
    );
    if (report !== undefined) {
      const { reroutedStreams, sendfileBytes, copiedBytes, notRerouted } = report.files;
      console.log(
        `${reroutedStreams} streams rerouted, in ${rerouted} of ${withFiles} sessions with files; ${sendfileBytes} bytes by sendfile, copied ${JSON.stringify(copiedBytes)}, not rerouted ${JSON.stringify(notRerouted)}`,
      );
    }
    const problems = [
      ...(code === 0 ? [] : [`the server ended with ${signal ?? code}`]),
      ...(stderr === '' ? [] : [`the server printed ${stderr}`]),
      ...((report !== undefined) === isTuned ? [] : [isTuned ? 'no report' : 'socket-tune was there']),
      ...(isTuned && sessions >= TELLING_SESSIONS && rerouted < withFiles * LEAST_SHARE
        ? ['hardly anything was rerouted']
        : []),
    ];
    for (const problem of problems) console.log(`WRONG: ${problem}`);
    return failed === 0 && problems.length === 0;
  } finally {
    server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

const asked = parse();
if (asked === undefined) console.log(HELP);
else if (!(await fuzz(asked))) process.exitCode = 1;
