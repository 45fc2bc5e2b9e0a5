// npm run bench -- [--quick] [--only NAME]... [--json] [--out DIRECTORY] [--from results.json]

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError, bench } from './command.js';
import { deadPeer } from './dead-peer.js';
import { ROOT } from './machine.js';
import { SCENARIOS } from './scenarios.js';

/** The last one needs what is in a clone of the repository only. */
const ALL = [...SCENARIOS, deadPeer] as const;

/** What the README's figures are made from. */
const KEPT = join(ROOT, 'bench/results');

const HELP = `Measures socket-tune against stock Node on this machine. Build first: npm run bench does.

  --quick        less work, more noise
  --only NAME    only this scenario; may be given again
  --json         figures as JSON
  --out DIR      where results.json, results.md and index.html go; a full run's go to bench/results
  --from FILE    measure nothing: make the pages of a results.json anew

Scenarios:
${ALL.map(({ name, what, onlyByName }) => `  ${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`).join('\n')}
`;

function parse() {
  return parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      from: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<boolean> {
  const { quick, only, json, out, from, help } = parse();
  if (help) {
    console.log(HELP);
    return true;
  }
  // What is no full run does not take the place of one unasked.
  const isFull = !quick && only === undefined;
  const isComplete = await bench(ALL, { quick, only, json, from, out: out ?? (isFull ? KEPT : undefined) });
  if (out === undefined && isFull && !json) console.log('npm run bench:figures puts the figures into the README');
  return isComplete;
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof BenchError ? error.message : error);
  process.exitCode = 2;
}
