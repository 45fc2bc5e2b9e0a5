/**
 * docs/presets.md, made from a measurement:
 * `node build/bench/main.js --only link --only link-sizes --json > link.json && node build/scripts/presets-page.js link.json`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Cell, Comparison, Result, Series, Table } from '../bench/scenario.js';
import { median, pairedRatio } from '../bench/statistics.js';

const PAGE = fileURLToPath(new URL('../../docs/presets.md', import.meta.url));

interface Measurement {
  readonly machine: { readonly kernel: string; readonly node: string; readonly cores: number; readonly cpu: string };
  readonly results: { readonly link: Result; readonly 'link-sizes': Result };
}

const INTRODUCTION = `# Presets

\`SOCKET_TUNE_PRESET=default | lowlatency | highthroughput | none\`. [Options](options.md) has the values of each. Here is what they bring
across networks of many kinds, and why the values are what they are.

- **default**: nothing slower than stock Node, and repeat clients answered a round trip earlier.
- **lowlatency**: for messages. What an app writes is not held up behind data that the kernel has queued already, and clients that are
  gone are noticed in half a minute. For files it costs some of the CPU time that sendfile saves.
- **highthroughput**: as default, without acknowledging parts of requests at once: the least CPU time for uploads.
- **none**: no option is set; files still go by sendfile.

Made by scripts/presets-page.ts from \`npm run bench -- --only link --only link-sizes --json\`. The links are emulated (\`bench/link/\`): two
network namespaces, and a program between them that delays packets, has them take their time on the line, and loses some.
`;

/** Of the comparisons, those that say something of presets, in the order of the page. */
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

const REASONS = `## Why these values

- **SNDBUF, RCVBUF: floors only** (256k, 128k, 1m). A size that is set ends the kernel's autotuning, and costs several times the throughput on a long path
  (tables below). Where the kernel's own ceiling is lower than the floor, the floor gives several times the throughput (tables above).
- **NOTSENT_LOWAT: 256k, lowlatency only.** 128k lets messages through a little earlier, and files of a fast network slower than stock Node: the
  server must come back for more twice as often, each time for less (file over 1 ms, 1 Gbit/s, 12 rounds: 128k 0.95 of stock's throughput at 1.13 of its CPU time, 256k
  0.99 at 0.93). From 512k on, messages behind others gain next to nothing at 10 Mbit/s.
- **FASTOPEN: 256 in all.** A client that was here before, and uses it, has its answer after one round trip instead of two. First connections
  wait no longer than stock's. The machine must allow it: \`net.ipv4.tcp_fastopen\` with bit 2 (\`npx socket-tune doctor\`).
- **DEFER_ACCEPT: 5 s, not in lowlatency.** It costs no time on any path: the first byte comes as early with it (default) as without.
- **QUICKACK: default and lowlatency.** It is for clients that send a request in parts (\`bench --only small-requests\`). Uploads cost the server more CPU time with it, across a
  network with small reads, and are as fast; highthroughput leaves it out.
- **KEEPALIVE 60 + 6 x 10 s, USER_TIMEOUT 120 s** (lowlatency: 30 + 3 x 5 s, 30 s): a client whose machine is gone is noticed after about two
  minutes (half a minute), be the connection idle or not; stock Node keeps an idle one for ever (table above).
- **THIN_LINEAR, DELACK_MAX: lowlatency only.** For short exchanges that lose packets: see the file of 100 KB on each of 8 connections.
- **CONGESTION: none has it.** The congestion control is the system's to choose.
`;

function number(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function cell(value: Cell | null): string {
  if (value === undefined || value === null) return '–';
  return typeof value === 'number' ? number(value) : value;
}

function markdown(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const ruler = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [columns, ruler, ...rows].map(line).join('\n');
}

/** A median, and how it stands to stock's round by round. */
function figure(series: Series, row: number, stock: Series | undefined): string {
  const samples = series.points[row]?.samples ?? [];
  const plain = stock?.points[row]?.samples ?? [];
  const value = number(median(samples));
  return series === stock ? value : `${value} (${pairedRatio(samples, plain).toFixed(2)})`;
}

function comparison({ title, unit, xTitle, series }: Comparison): string {
  const stock = series[0];
  const rows = (stock?.points ?? []).map(({ x }, row) => [String(x), ...series.map((one) => figure(one, row, stock))]);
  return `**${title}**, ${unit}\n\n${markdown([xTitle, ...series.map(({ contender }) => contender)], rows)}\n`;
}

function plainTable({ title, columns, rows }: Table): string {
  return `**${title}**\n\n${markdown(
    columns,
    rows.map((row) => row.map(cell)),
  )}\n`;
}

/** The page in Markdown. */
export function presetsPage({ machine, results }: Measurement): string {
  const { comparisons = [], tables, notes } = results.link;
  const shown = SHOWN.flatMap((id) => comparisons.filter((one) => one.id === id));
  const silence = tables.filter(({ columns }) => columns.length === 5 && columns[0] === '');
  return [
    INTRODUCTION,
    `Linux ${machine.kernel}, Node ${machine.node}, ${machine.cores} × ${machine.cpu}. Medians; in brackets the ratio to stock, round by round.`,
    '\n## Across networks\n',
    ...[...shown.map(comparison), ...silence.map(plainTable)],
    ...[`${notes.map((note) => `- ${note}`).join('\n')}\n`, REASONS],
    ...results['link-sizes'].tables.map(plainTable),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , measurement = 'link.json'] = process.argv;
  writeFileSync(PAGE, presetsPage(JSON.parse(readFileSync(measurement, 'utf8'))));
}
