/** The README's table of what is gained by whom. Its figures of files come from the benchmark, the rest from the pages that it names. */
import { figures } from '../../bench/page/figures.js';
import { findComparison } from '../../bench/page/headline.js';
import { changeText, isTooNoisy } from '../../bench/ratio.js';
import type { Results } from '../../bench/results.js';

/** Sizes of files, by the ends of the comparisons' ids (bench/frameworks/scenario.ts). */
const SIZES = { '10k': '10 KB', '100k': '100 KB', '1024k': '1 MB' };

/** Points of the comparison of uploads where the network is fast (bench/link/points.ts). */
const FAST_PATHS = ['1 ms, 1 Gbit/s', '40 ms, 1 Gbit/s'];

/** A figure of a comparison beside stock Node's: `46 % less`. */
function change(results: Results, id: string, contender: string, x: string): string {
  const comparison = findComparison(results, id);
  const all = comparison === undefined ? [] : figures(comparison);
  const ratio = all.find((figure) => figure.contender === contender && figure.x === x)?.toStock;
  if (ratio === undefined) return 'not measured';
  return isTooNoisy(ratio) ? 'no sure change' : changeText(ratio);
}

/** CPU time of an app, size by size: `46 % less at 10 KB, …`. */
function changes(results: Results, ids: string, app: string): string {
  const told = Object.entries(SIZES).map(([id, size]) => `${change(results, `${ids}-${id}`, 'tuned', app)} at ${size}`);
  return told.join(', ');
}

/** The server's CPU time of an upload, with the preset default. */
function uploads(results: Results): string {
  return FAST_PATHS.map((path) => `${change(results, 'link-upload-cpu', 'default', path)} at ${path}`).join(', ');
}

/** The table in Markdown. */
export function helpTable(results: Results): string {
  const rows = [
    [
      '**static files** with Express, Fastify, Koa, Nest, hapi, sirv and others ([table](docs/frameworks.md))',
      `CPU time of a request, with Express: ${changes(results, 'frameworks-cpu', 'Express')}`,
      'nothing',
    ],
    [
      '**the same over HTTPS**',
      `with Express: ${changes(results, 'frameworks-cpu-https', 'Express')}. Encryption costs as much as before`,
      'nothing',
    ],
    [
      '**behind a load balancer or proxy**',
      'POSTs lost while Node closes idle connections: 0 of 11,000 instead of 113 (Node 20 behind nginx; Node 26 loses 58)',
      '`SOCKET_TUNE_BEHIND=nginx`, `alb` or [another](docs/requests.md#behind)',
    ],
    [
      '**deploys and restarts**',
      'with 50 clients, stock Node loses 4 to 67 requests in most restarts. With the drain it loses none. `pm2 restart` alone still loses some ([table](docs/requests.md#drain))',
      '`SOCKET_TUNE_DRAIN=20s`',
    ],
    [
      '**databases, caches, other APIs**',
      'a dead peer is noticed within two minutes, or the time you set; stock Node needs a quarter of an hour, or never notices. A pooled connection that the server has closed is not used again',
      'nothing, or `SOCKET_TUNE_DEAD_PEER=10s`',
    ],
    [
      '**clusters**',
      "a short connection costs a third to a half of what it costs under Node's round robin",
      '`SOCKET_TUNE_REUSEPORT=on`',
    ],
    [
      '**a JSON API, pages rendered by the server**',
      'no CPU gain: your own code and Node take the time. Deploys, proxies and databases gain as above',
      'as above',
    ],
    [
      '**uploads**',
      `as fast as before. CPU time of the server: ${uploads(results)}. An app of \`node:http\` alone takes a fifth to two fifths more: its heap is so small that what we load makes V8 collect less cheaply`,
      '–',
    ],
    [
      '**files read whole by `fs.readFile`**',
      `with Fastify: ${changes(results, 'frameworks-cpu', 'Fastify, readFile')}. Streams cost far less`,
      '`createReadStream().pipe()` for large ones',
    ],
    [
      '**responses that are compressed, or come from `fetch`, cloud storage or a buffer**',
      'no gain: there is no file to send',
      '–',
    ],
    [
      '**command-line tools, short scripts**',
      'no gain. The start takes 2 to 7 ms longer, by machine. On Node 20 `--import` itself takes some 5 ms of it, and `-r` does not',
      '–',
    ],
  ];
  const heads = ['what you run', 'what to expect', 'to set'];
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
