// npm run bench -- [--quick] [--only NAME]... [--node PATH]... [--json] [--out DIRECTORY] [--from FILE]...

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { behind } from './behind/scenario.js';
import { BenchError, bench } from './command.js';
import { datagrams } from './datagrams.js';
import { deadPeer } from './dead-peer.js';
import { profileScenario } from './frameworks/profile.js';
import { frameworks } from './frameworks/scenario.js';
import { endBy, SIGNALS } from './interruption.js';
import { leavingScenarios } from './leaving/scenario.js';
import { ROOT } from './machine.js';
import { outgoing } from './outgoing.js';
import { proxies } from './proxies/scenario.js';
import { SCENARIOS } from './scenarios.js';
import { stalePool } from './stale-pool.js';
import { watching } from './watching.js';

/** Scenarios of `npm run bench`. Those that are not published need a clone of the repository. */
const ALL = [
  frameworks,
  profileScenario,
  ...SCENARIOS,
  deadPeer,
  behind,
  ...leavingScenarios,
  proxies,
  stalePool,
  watching,
  datagrams,
  outgoing,
] as const;

/** Directory of the results behind the README's figures. */
const KEPT = join(ROOT, 'bench/results');

/** Directory for partial runs: they never replace a full one. */
const INTERRUPTED = join(ROOT, 'bench-interrupted');

const SCENARIO_LIST = `
Scenarios:
${ALL.map(({ name, what, onlyByName }) => `  ${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`).join('\n')}`;

interface Given {
  readonly quick: boolean;
  readonly only?: readonly string[];
  readonly node?: readonly string[];
  readonly json: boolean;
  readonly out?: string;
  readonly from?: readonly string[];
}

/** Collect the values of a repeated option. */
function collect(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}

function parse(): Given {
  return new Command('npm run bench --')
    .description('Measures socket-tune against stock Node on this machine.')
    .option('--quick', 'less work, more noise', false)
    .option('--only <name>', 'only this scenario; may be given again', collect)
    .option(
      '--node <path>',
      'with this Node instead of the one that runs this; may be given again: one after the other',
      collect,
    )
    .option('--json', 'print JSON', false)
    .option(
      '--out <directory>',
      "write node-N.json (N: the Node's major version), results.md and index.html there; a full run's go to bench/results. " +
        'The pages show all Nodes that the directory has: the newest, and the others where they differ',
    )
    .option('--from <file>', 'measure nothing: make the pages of a node-N.json anew; may be given again', collect)
    .addHelpText('after', SCENARIO_LIST)
    .exitOverride()
    .parse()
    .opts();
}

/** The command line without `--node`. */
function argumentsOf({ quick, only = [], json, out, from = [] }: Given): string[] {
  return [
    ...(quick ? ['--quick'] : []),
    ...(json ? ['--json'] : []),
    ...only.flatMap((name) => ['--only', name]),
    ...from.flatMap((file) => ['--from', file]),
    ...(out === undefined ? [] : ['--out', out]),
  ];
}

/** Run the benchmarks with that Node, and everything that they start. */
async function runWith(node: string, given: Given): Promise<number> {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...argumentsOf(given)], { stdio: 'inherit' });
  // The child keeps its results and then ends by the signal; so does this process.
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
  const { quick, only, node, json, out, from } = given;
  if (node !== undefined) return await runWithAll(node, given);
  // A partial run does not replace a full one by itself.
  const isKept = out === undefined && !quick && only === undefined && from === undefined;
  const directories = isKept ? { out: KEPT, outIfInterrupted: INTERRUPTED } : { out };
  const isComplete = await bench(ALL, { quick, only, json, from, ...directories });
  if (isKept && !json) console.log('npm run bench:figures puts the figures into the README');
  return isComplete ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // commander has printed the error; help ends with 0.
  if (!(error instanceof CommanderError)) console.error(error instanceof BenchError ? error.message : error);
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
