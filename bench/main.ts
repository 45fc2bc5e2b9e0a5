// npm run bench -- [--quick] [--only NAME]... [--json]

import { parseArgs } from 'node:util';
import { accept } from './accept.js';
import { apply } from './apply.js';
import { clusterScenario } from './cluster.js';
import { cold } from './cold.js';
import { connectionCounts } from './connections.js';
import { deadPeer } from './dead-peer.js';
import { files } from './files.js';
import { limits } from './limits.js';
import { linkScenario } from './link/scenario.js';
import { linkSizes } from './link/sizes.js';
import { machine } from './machine.js';
import { rawTcp } from './raw-tcp.js';
import { restartsScenario } from './restarts.js';
import type { Result, Scenario } from './scenario.js';
import { seedTables } from './seed.js';
import { slowReaders } from './slow-readers.js';
import { smallRequests } from './small-requests.js';
import { startUp } from './start-up.js';
import { formatResult } from './table.js';
import { tcpInfoScenario } from './tcp-info.js';

const SCENARIOS: readonly Scenario[] = [
  seedTables,
  startUp,
  apply,
  tcpInfoScenario,
  smallRequests,
  accept,
  files,
  connectionCounts,
  rawTcp,
  cold,
  slowReaders,
  clusterScenario,
  restartsScenario,
  linkScenario,
  limits,
  linkSizes,
  deadPeer,
];

const HELP = `Measures socket-tune against stock Node on this machine. Build first: npm run bench does.

  --quick        less work, more noise
  --only NAME    only this scenario; may be given again
  --json         figures as JSON

Scenarios:
${SCENARIOS.map(({ name, what, onlyByName }) => `  ${name.padEnd(14)} ${what}${onlyByName ? ' (only by name)' : ''}`).join('\n')}
`;

function chosen(only: readonly string[] | undefined): readonly Scenario[] {
  if (only === undefined) return SCENARIOS.filter((scenario) => !scenario.onlyByName);
  return only.map((name) => {
    const scenario = SCENARIOS.find((candidate) => candidate.name === name);
    if (scenario === undefined)
      throw new Error(`no scenario '${name}': ${SCENARIOS.map((one) => one.name).join(', ')}`);
    return scenario;
  });
}

function parse() {
  return parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<void> {
  const { quick, only, json, help } = parse();
  if (help) return console.log(HELP);
  const about = machine();
  const say = json ? () => undefined : console.log;
  say(`kernel ${about.kernel}, Node ${about.node}, ${about.cores} x ${about.cpu}`);
  const results: Record<string, Result> = {};
  for (const scenario of chosen(only)) {
    const start = performance.now();
    const result = await scenario.run({ quick });
    results[scenario.name] = result;
    const seconds = ((performance.now() - start) / 1e3).toFixed(0);
    say(`\n== ${scenario.name}: ${scenario.what} (${seconds} s)\n\n${formatResult(result)}`);
  }
  if (json) console.log(JSON.stringify({ machine: about, quick, results }, undefined, 2));
}

// Ended from outside, by way of 'exit': there, servers are stopped and files removed.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
