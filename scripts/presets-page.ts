// docs/presets.md: what the presets gain across networks, and the measurements behind their values.

import { comparisonTable, HOW_TO_READ, tableText } from '../bench/page/markdown.js';
import { sameOf } from '../bench/page/other-nodes.js';
import type { Results, Runs, ScenarioResult } from '../bench/results.js';
import type { Comparison, Table } from '../bench/scenario.js';

const INTRODUCTION = `# Presets

\`SOCKET_TUNE_PRESET=default | lowlatency | highthroughput | none\`. [Options](options.md) has the values of each. Here is what they bring
across networks of many kinds, and why the values are what they are.

- **default**: no slower than stock Node by more than 5 % on any path that was tried, as far as the rounds agree, and clients that were here
  before are answered a round trip earlier.
- **lowlatency**: for messages. What an app writes is not held up behind data that the kernel has queued already, and clients that are
  gone are noticed in half a minute. A live client that reads nothing for 30 s, as with a paused download, is ended like one that is gone.
  Files cost more CPU time than with default, and less than in stock Node.
- **highthroughput**: as default, but parts of requests are not acknowledged at once: the least CPU time for uploads.
- **none**: no option is set; files still go by sendfile.

Made by \`npm run bench:figures\` from what \`npm run bench\` and \`npm run bench -- --only link-sizes\` measured. The links are emulated
(\`bench/link/\`): two network namespaces, and a program between them that delays packets, has them take their time on the line, and
loses some. At 1 Gbit/s, on a machine that others use, figures differ by up to a tenth from run to run, and the ratios with them.
`;

/** The comparisons that are about presets, in the order of the page. */
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

/** The row of a client that is being sent to, in bench/link/silent-peer.ts. */
const SENDING = 'the server sends a little again and again';
/** The cell of a connection that did not end while it was watched. */
const UNNOTICED = /^not in /;

/** Only lowlatency has the option now. If the table has an end for another preset, an earlier version was measured: the page says so. */
function silenceNote(silence: Table | undefined): string {
  const row = silence?.rows.find(([what]) => what === SENDING) ?? [];
  const ended = ['default', 'highthroughput'].flatMap((preset) => {
    const end = row[silence?.columns.indexOf(preset) ?? -1];
    return typeof end === 'string' && !UNNOTICED.test(end) ? [preset] : [];
  });
  if (ended.length === 0) return '';
  return `\n  (The table above was measured when ${ended.join(' and ')} had the option as well, with 120 s.)`;
}

function reasons(silence: Table | undefined): string {
  return `## Why these values

- **SNDBUF, RCVBUF: floors only** (256k, 128k, 1m). A size that is set ends the kernel's autotuning, and costs up to five times the
  throughput on a long path (\`exact\`, below). Where the kernel's own ceiling is lower than the floor, the floor gives several times the
  throughput (small buffers, above).
- **NOTSENT_LOWAT: 256k, lowlatency only.** With 128k, messages come a little earlier, but the server has to come back for more twice as
  often, each time for less: a file over 1 ms, 1 Gbit/s (12 rounds by hand) had 0.95 of stock's throughput at 1.13 times its CPU time, and with 256k
  0.99 at 0.93. From 512k on, nothing is gained at 10 Mbit/s.
- **FASTOPEN: 256 in all.** A client that was here before, and uses it, has its answer after one round trip instead of two; others wait no
  longer than with stock. The machine must allow it: bit 2 of \`net.ipv4.tcp_fastopen\` (\`npx socket-tune doctor\`).
- **DEFER_ACCEPT: 5 s in default and highthroughput.** Where nothing is lost it costs no time: the first byte comes as early as without.
- **QUICKACK: default and lowlatency.** It is for clients that send a request in parts (\`npm run bench -- --only small-requests\`). What comes
  in bulk is left to the kernel after 32 reads without an answer: an ACK of our own for every read of an upload cost up to half as much CPU time again,
  and made it no faster. highthroughput leaves the option out.
- **KEEPALIVE 60 + 6 × 10 s** (lowlatency: 30 + 3 × 5 s). On an idle connection, a client whose machine is gone is noticed after two minutes
  (lowlatency: about half a minute); stock Node keeps such a connection for ever.
- **USER_TIMEOUT: 30 s, lowlatency only.** With data on its way, it has a client whose machine is gone noticed after half a minute. It also ends a
  live client that reads nothing for 30 s, as with a paused download: its receive window is zero, and the kernel cannot tell the two apart by
  this option. So the other presets leave it out, and the kernel retransmits for about 15 minutes, as with stock Node.${silenceNote(silence)}
  For outgoing connections see [outgoing.md](outgoing.md) and \`npm run bench -- --only dead-peer\`.
- **CONGESTION: none.** The congestion control is the system's to choose.
`;
}

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
 * @param sizes results of the scenario link-sizes, which runs only with `--only`
 */
export function presetsPage(runs: Runs, sizes: Results): string {
  const [results] = runs;
  const { comparisons, tables, notes } = find(results, 'link');
  const tried = find(sizes, 'link-sizes');
  const shown = SHOWN.flatMap((id) => comparisons.filter((one) => one.id === id));
  // This table is no comparison: a preset that does not notice the silence has no figure.
  const silence = tables.filter(({ title }) => title.startsWith(SILENCE));
  return [
    INTRODUCTION,
    '## Across networks',
    `\n${about(results)} ${HOW_TO_READ}.\n`,
    ...shown.map((comparison) => comparisonText(comparison, runs)),
    ...silence.map((table) => `${tableText(table)}\n`),
    ...[`${notes.map((note) => `- ${note}`).join('\n')}\n`, reasons(silence[0])],
    `## Sizes that were tried\n\n${about(sizes)} ${tried.notes.join('; ')}.\n`,
    tried.tables.map(tableText).join('\n\n'),
    '',
  ].join('\n');
}
