// docs/presets.md: measured results of the presets across networks, and the reasons for their values.

import { comparisonTable, HOW_TO_READ, tableText } from '../../bench/page/markdown.js';
import { sameOf } from '../../bench/page/other-nodes.js';
import type { Results, Runs, ScenarioResult } from '../../bench/results.js';
import type { Comparison } from '../../bench/scenario.js';

const INTRODUCTION = `# Presets

\`SOCKET_TUNE_PRESET=default | lowlatency | highthroughput | none\`. [Options](options.md) has the values of each. This page has
their results across many kinds of networks, and the reasons for the values.

- **default**: at most 5 % slower than stock Node wherever the rounds of a path agree. Returning clients get
  their answer a round trip earlier.
- **lowlatency**: for messages. A message does not wait behind data in the kernel's queue. Dead clients are noticed within 45 s
  instead of two minutes. Files cost more CPU time than with default, and less than in stock Node.
- **highthroughput**: for uploads over long or slow paths. ACKs are delayed as in stock Node, and buffers have a larger floor.
  A connection is accepted with its first data.
- **none**: no option is set; files still go by sendfile.

Made by \`npm run bench:figures\` from what \`npm run bench\` and \`npm run bench -- --only link-sizes\` measured. The links are emulated
(\`bench/link/\`): two network namespaces, and a program between them that delays packets, limits the rate and drops some. At 1 Gbit/s, on
a machine that others use, figures and ratios differ by up to a tenth from run to run.
`;

/** The comparisons of presets, in the order of the page. */
const SHOWN = [
  'link-first',
  'link-repeated',
  'link-page',
  'link-lossy-page',
  'link-behind',
  'link-throughput',
  'link-beside',
  'link-file',
  'link-memory',
  'link-upload',
  'link-small-buffers-file',
  'link-small-buffers-upload',
] as const;

/** See bench/link/silent-peer.ts. */
const SILENCE = 'A client’s machine is gone';

const REASONS = `## Why these values

- **SNDBUF, RCVBUF: floors only** (256k, 128k, 1m). A size that is set ends the kernel's autotuning, and may cut the
  throughput on a long path to a fifth (\`exact\`, below). Where the kernel's own ceiling is below the floor, the floor gives several times the
  throughput (small buffers, above).
- **NOTSENT_LOWAT: 256k, lowlatency only.** With 128k, messages come a little earlier, but the server wakes up twice as often, each time
  for less. A file over 1 ms, 1 Gbit/s (12 rounds by hand) had 0.95 of stock's throughput at 1.13 times its CPU time. With 256k it had 0.99
  at 0.93. From 512k on, nothing is gained at 10 Mbit/s.
- **FASTOPEN: 256 in these three presets.** A returning client that uses FASTOPEN has its answer after one round trip instead of two. Others wait no longer than
  with stock Node. The machine must allow it: bit 2 of \`net.ipv4.tcp_fastopen\` (\`npx socket-tune doctor\`).
- **DEFER_ACCEPT: 5 s in highthroughput only.** A new connection costs about a tenth less CPU time, and the first byte comes just as early.
  But 'connection' comes late, and \`server.close()\` resets a client that has connected and is silent. An app can see that, so
  the preset default leaves the option alone.
- **QUICKACK: default and lowlatency.** It is for clients that send a request in parts (\`npm run bench -- --only small-requests\`). After
  32 reads without an answer, the kernel alone acknowledges: an ACK of ours for every read of an upload cost up to half as much CPU time
  again, and made it no faster. highthroughput leaves the option out.
- **KEEPALIVE 60 + 6 × 10 s** (lowlatency: 30 + 3 × 5 s). On an idle connection, a client whose machine is gone is noticed after two minutes
  (lowlatency: 45 s); stock Node keeps such a connection for ever.
- **DEAD_PEER: 120 s** (lowlatency: 45 s). With data in flight, a client whose machine is gone is noticed after that time; stock Node retransmits
  for about 15 minutes. A live client is never ended, however long it reads nothing: its kernel answers. USER_TIMEOUT cannot tell a slow client
  from a dead client, so no preset sets it.
  For outgoing connections see [outgoing.md](outgoing.md) and \`npm run bench -- --only dead-peer\`.
- **CONGESTION: none.** The system chooses the congestion control.
`;

function comparisonText(comparison: Comparison, runs: Runs): string {
  const table = comparisonTable(comparison, sameOf(runs, comparison));
  return `**${comparison.title}**, in ${comparison.unit}:\n\n${table}\n`;
}

function find({ scenarios }: Results, name: string): ScenarioResult {
  const found = scenarios.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no results of the scenario '${name}'`);
  return found;
}

function about({ date, quick, machine }: Results): string {
  const { kernel, node, cores, cpu, loadAverage } = machine;
  const run = quick ? 'a quick run' : 'a full run';
  const load = loadAverage > 1 ? `, on which others were at work (load ${loadAverage})` : '';
  return `${date.slice(0, 10)}, ${run}: Linux ${kernel}, Node ${node}, ${cores} × ${cpu}${load}.`;
}

/**
 * The page in Markdown.
 *
 * @param runs of the benchmarks
 * @param sizes results of the scenario link-sizes, which runs by name only
 */
export function presetsPage(runs: Runs, sizes: Results): string {
  const [results] = runs;
  const { comparisons, tables, notes } = find(results, 'link');
  const tried = find(sizes, 'link-sizes');
  const shown = SHOWN.flatMap((id) => comparisons.filter((one) => one.id === id));
  // A table, and not a comparison: a server that notices nothing has no figure.
  const silence = tables.filter(({ title }) => title.startsWith(SILENCE));
  return [
    INTRODUCTION,
    '## Across networks',
    `\n${about(results)} ${HOW_TO_READ}.\n`,
    ...shown.map((comparison) => comparisonText(comparison, runs)),
    ...silence.map((table) => `${tableText(table)}\n`),
    ...[`${notes.map((note) => `- ${note}`).join('\n')}\n`, REASONS],
    `## Sizes that were tried\n\n${about(sizes)} ${tried.notes.join('; ')}.\n`,
    tried.tables.map(tableText).join('\n\n'),
    '',
  ].join('\n');
}
