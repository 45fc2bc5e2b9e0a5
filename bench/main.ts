// npm run bench -- [--quick] [--only NAME]... [--node PATH]... [--json] [--out DIRECTORY] [--from FILE]...

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchError, bench } from './command.js';
import { deadPeer } from './dead-peer.js';
import { endBy, SIGNALS } from './interruption.js';
import { ROOT } from './machine.js';
import { SCENARIOS } from './scenarios.js';

/** The last one needs what is in a clone of the repository only. */
const ALL = [...SCENARIOS, deadPeer] as const;

/** What the README's figures are made from. */
const KEPT = join(ROOT, 'bench/results');

/** A part of a run does not take the place of a whole one. */
const INTERRUPTED = join(ROOT, 'bench-interrupted');

const HELP = `Measures socket-tune against stock Node on this machine. Build first: npm run bench does.

  --quick        less work, more noise
  --only NAME    only this scenario; may be given again
  --node PATH    with this Node instead of the one that runs this; may be given again: one run after the other
  --json         figures as JSON
  --out DIR      where node-N.json (N: the Node's major version), results.md and index.html go; a full run's go to
                 bench/results. The pages show all Nodes that the directory has: the newest, and the others where they differ
  --from FILE    measure nothing: make the pages of a node-N.json anew; may be given again

Scenarios:
${ALL.map(({ name, what, onlyByName }) => `  ${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`).join('\n')}
`;

function parse() {
  return parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      node: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      from: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

type Given = ReturnType<typeof parse>;

/** The command line again, without the Nodes. */
function argumentsOf({ quick, only = [], json, out, from = [] }: Given): string[] {
  return [
    ...(quick ? ['--quick'] : []),
    ...(json ? ['--json'] : []),
    ...only.flatMap((name) => ['--only', name]),
    ...from.flatMap((file) => ['--from', file]),
    ...(out === undefined ? [] : ['--out', out]),
  ];
}

/** The benchmarks themselves run with that Node: so does everything that they start. */
async function runWith(node: string, given: Given): Promise<number> {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...argumentsOf(given)], { stdio: 'inherit' });
  // It keeps what it has, and then ends as it is told to; so does this process.
  const forward = (told: NodeJS.Signals): boolean => child.kill(told);
  for (const signal of SIGNALS) process.on(signal, forward);
  await once(child, 'exit');
  for (const signal of SIGNALS) process.off(signal, forward);
  const signal = SIGNALS.find((name) => name === child.signalCode);
  if (signal !== undefined) endBy(signal);
  return child.exitCode ?? 2;
}

async function runWithAll(nodes: readonly string[], given: Given): Promise<number> {
  if (given.json && nodes.length > 1) throw new BenchError('--json takes one --node');
  for (const node of nodes) {
    const { status } = spawnSync(node, ['--version']);
    if (status !== 0) throw new BenchError(`--node ${node}: no such Node`);
  }
  let worst = 0;
  for (const node of nodes) worst = Math.max(worst, await runWith(node, given));
  return worst;
}

async function main(): Promise<number> {
  const given = parse();
  const { quick, only, node, json, out, from, help } = given;
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (node !== undefined) return await runWithAll(node, given);
  // What is no full run does not take the place of one unasked.
  const isKept = out === undefined && !quick && only === undefined && from === undefined;
  const directories = isKept ? { out: KEPT, outIfInterrupted: INTERRUPTED } : { out };
  const isComplete = await bench(ALL, { quick, only, json, from, ...directories });
  if (isKept && !json) console.log('npm run bench:figures puts the figures into the README');
  return isComplete ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof BenchError ? error.message : error);
  process.exitCode = 2;
}
