/** docs/platforms.md, made from what the guests told. */
import { fileURLToPath } from 'node:url';
import type { FileRound, Finding } from './finding.js';
import type { GuestResult } from './results.js';

export const PLATFORMS_PAGE = fileURLToPath(new URL('../../../docs/platforms.md', import.meta.url));

const COLUMNS = [
  'Guest',
  'Kernel',
  'Processor, page',
  'Node',
  'Options as asked',
  'Right answers',
  'Bytes by sendfile',
  'Left to Node',
  'Options it lacks',
  'Dead peer, 3 s',
  'Date',
];

/** No Linux has it, and every row would name it. */
const MAC_ONLY = 'SO_NOSIGPIPE';

function total(rounds: readonly FileRound[], count: (round: FileRound) => number): number {
  return rounds.reduce((sum, round) => sum + count(round), 0);
}

function listed(texts: readonly string[]): string {
  return texts.length === 0 ? '–' : texts.join(', ');
}

function optionsText({ verify: { counts, failure } }: Finding): string {
  if (failure !== undefined) return 'verify failed';
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return `${counts.applied ?? 0} of ${all}`;
}

function answersText({ rounds }: Finding): string {
  return `${total(rounds, ({ correct }) => correct)} of ${total(rounds, ({ answers }) => answers)}`;
}

/** By file system, of those rounds in which the files are in the page cache. */
function sendfileText({ rounds }: Finding): string {
  const warm = rounds.filter(({ round }) => round === 'warm');
  return listed(
    warm.map(({ filesystem, bytes, sendfileBytes }) => `${filesystem} ${Math.round((sendfileBytes / bytes) * 100)} %`),
  );
}

function leftText({ rounds }: Finding): string {
  const texts = rounds.flatMap(({ round, filesystem, notRerouted }) =>
    Object.entries(notRerouted).map(([reason, count]) => `${filesystem}, ${round}: ${count} \`${reason}\``),
  );
  return listed(texts);
}

function lackedText({ platform, verify: { unsupported } }: Finding): string {
  if (platform !== 'linux') return `${unsupported.length} options`;
  return listed(unsupported.filter((name) => name !== MAC_ONLY).map((name) => `\`${name}\``));
}

function deadPeerText({ deadPeer }: Finding): string {
  if (deadPeer === undefined) return 'not tried';
  const { seconds, code } = deadPeer;
  return seconds === undefined ? 'not noticed' : `${code} after ${seconds.toFixed(1)} s`;
}

function pageText({ arch, pageSize }: Finding): string {
  return pageSize === undefined ? arch : `${arch}, ${pageSize / 1024} KB`;
}

function cellsOf({ name, date }: Pick<GuestResult, 'name' | 'date'>, finding: Finding): string[] {
  return [
    name,
    finding.kernel,
    pageText(finding),
    finding.node,
    optionsText(finding),
    answersText(finding),
    sendfileText(finding),
    leftText(finding),
    lackedText(finding),
    deadPeerText(finding),
    date,
  ];
}

/** A finding in one line, for the terminal. */
export function summaryOf(finding: Finding): string {
  const heads = COLUMNS.slice(1, -1);
  return cellsOf({ name: '', date: '' }, finding)
    .slice(1, -1)
    .map((cell, index) => `${heads[index]}: ${cell}`)
    .join('; ');
}

function table(results: readonly GuestResult[]): string {
  const rows = results.flatMap((result) => result.findings.map((finding) => cellsOf(result, finding)));
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The page in Markdown. */
export function platformsPage(results: readonly GuestResult[]): string {
  const guests = results.map(({ name, what }) => `- \`${name}\`: ${what}`).join('\n');
  return `# Platforms

<!-- Made by scripts/guests/page.ts from scripts/guests/results.json: npm run test:guests, with --record. -->

This page says where the package was run, and with what result. A guest is an emulated machine (qemu-system). It has a Debian kernel, Node from
npm, the packed package, and an app without any code for it. \`npm run test:guests\` starts all guests, and
\`npm run test:guests -- --only NAME\` a single guest. CI runs \`linux-6.1\` with Node 20.

In each guest

- the app sends files of 100 bytes, 10 KB and 1 MB by \`createReadStream(path).pipe(response)\`, from ext4 and from tmpfs. The client compares
  every body by its SHA-256. In a _warm_ round the files are in the page cache. Before a _cold_ round the cache is emptied;
- \`socket-tune verify --samples\` sets a sample of every option on every kind of socket;
- a client falls silent: a socket filter drops every packet. With \`SOCKET_TUNE_DEAD_PEER=3s\` the app's connection must end with ETIMEDOUT;
- the app must end with status 0, and write nothing to standard error.

The script fails if an answer is wrong, or if the guest lacks an option that its row in \`scripts/guests/guests.ts\` does not name.

${table(results)}

On tmpfs the rounds of 2026-11-29 are out of date: they were run before mincore(2) was used, and show 0 %.

${guests}

## What older kernels lack

| Kernel | What it lacks | Effect |
| --- | --- | --- |
| before 6.15 | TCP_DELACK_MAX_US, TCP_RTO_MIN_US, TCP_RTO_MAX_MS | these options are \`unsupported\`. \`DEAD_PEER\` needs a timer and TCP_INFO instead |
| before 6.8 | the unique number of a mount | calls of \`fs\` go to the thread pool on file systems without a device, such as tmpfs |
| before 6.5 | cachestat(2) | preadv2(2) probes one byte every 64 KB |
| before 5.12; Debian’s 5.10 has it | openat2(2) with RESOLVE_CACHED | files are opened and looked up in the thread pool |
| 5.9 and 5.10 | a correct result of preadv2(2) with RWF_NOWAIT: it may return 0, as at the end of a file | 0 counts only if the file's size confirms it; Node reads the rest |
| every kernel, on tmpfs, overlayfs, squashfs and ramfs | RWF_NOWAIT | mincore(2) is used; see below |

Files of a container's image are on overlayfs. There, mincore(2) shows what is in the page cache only for files that the app's user owns or may
write (since Linux 5.2). Root needs CAP_FOWNER, which Docker gives. For other files the answer is false, so Node reads and sends them:
\`residency-unknown\` in the report. \`COPY --chown=node:node\` in a Dockerfile makes the files the user's own. Before 6.8, calls of \`fs\` on these file
systems go to the thread pool, but streams do not. \`test/hooks/files/mounts.test.ts\` tests this on its own mounts: warm, cold, and with another's files.

## Windows

Node for Windows ran in wine, on the Linux of the test machine. There is no table of options for Windows: NODELAY and keepalive are set through
Node's own API, and Node sends the files. The test checks that an app runs and its files are right. Wine 8 is not Windows: it has no
keepalive, so Node's own \`setKeepAlive()\` fails there. Node 24 and 26 do not start in wine, with or without us (\`Fatal process out of
memory: SegmentedTable::InitializeTable\`). Nothing was run on Microsoft's Windows.

## macOS

Nothing was run on macOS, because no Mac was available. The table of options is tested with a fake C library only
(\`test/native/darwin.test.ts\`). Node sends the files.

## musl

Nothing was run with musl, because npm and Debian have no Node for musl. koffi's package has a binary for musl as well as for glibc. Our package
finds C functions in the running process by name, and names no library.

## Not tried

- Kernels before 5.10, and 5.15: the mirror no longer has them.
- Pages of 64 KB: Debian has no such kernel. A test counts pages of that size (\`test/native/files/residency.test.ts\`).
- arm64 on a processor that is not emulated. Emulation says nothing about speed.
`;
}
