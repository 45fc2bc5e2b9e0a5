import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Effort, Result, Scenario } from '../scenario.js';
import { withScratch } from '../scratch.js';
import { BACKLOG_POINTS, backlog } from './backlog.js';
import { type Figures, toComparison, toTable } from './figures.js';
import { firstByte, lossyPage, PAGE } from './first-byte.js';
import { CONTENDERS, HTTP_PORT, type Lane, PRESETS, type Workshop, withLanes } from './lane.js';
import { SERVER_ADDRESS } from './link.js';
import { makeNamespaces } from './namespaces.js';
import { fileName, link, THROUGHPUT_POINTS } from './points.js';
import { compile, compilerObstacle } from './program.js';
import { silentPeer } from './silent-peer.js';
import { throughput } from './throughput.js';

/** Each lane has processes that end with this one. */
const MOST_PROCESSES = 64;

const WARM_UPS = 30;
const WARM_UP_MS = 5000;

/** Why there is no link to be had here; undefined if there is. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const missing = compilerObstacle();
  if (missing !== undefined) return missing;
  try {
    makeNamespaces().remove();
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made (root is needed): ${error instanceof Error ? error.message : error}`;
  }
}

function writeFiles(directory: string, quick: boolean): void {
  const points = [...THROUGHPUT_POINTS, ...BACKLOG_POINTS].filter((point) => point.quick || !quick);
  for (const name of new Set([PAGE, ...points].map(fileName))) {
    writeFileSync(join(directory, name), Buffer.alloc(Number(name), name));
  }
}

/** A preload that always let Node copy would be measured as well, so the report has to say that it did not. */
function howFilesWent(report: string, preset: string): string {
  const { files } = JSON.parse(readFileSync(report, 'utf8'));
  const counts = (by: unknown): string => JSON.stringify(by).replaceAll('"', '');
  return (
    `${preset}: ${Math.round(files.sendfileBytes / 1e6)} MB of ${files.reroutedStreams} files by sendfile; ` +
    `copied bytes: ${counts(files.copiedBytes)}; files not rerouted: ${counts(files.notRerouted)}`
  );
}

/** So that the compiler has done its part. */
async function warmUp(lane: Lane): Promise<void> {
  await lane.link.set(link(1, 100), 0);
  for (const path of ['/memory/1000', `/file/${fileName(PAGE)}`]) {
    await lane.ask('again', SERVER_ADDRESS, HTTP_PORT, path, WARM_UPS);
  }
  for (let time = 0; time < WARM_UPS; time++) await lane.ask('put', SERVER_ADDRESS, HTTP_PORT, 100_000, 1, WARM_UP_MS);
}

async function measureAll(lanes: readonly Lane[], effort: Effort): Promise<Figures[]> {
  await Promise.all(lanes.map(warmUp));
  const waits = [
    ...(await firstByte(lanes, effort)),
    await lossyPage(lanes, effort),
    ...(await backlog(lanes, effort)),
  ];
  return [...waits, ...(await throughput(lanes, effort))];
}

function howLate(lanes: readonly Lane[]): string {
  const late = Math.max(...lanes.map(({ lateMs }) => lateMs));
  return `of a hundred packets of a measurement, 99 were late by less than ${late.toFixed(2)} ms`;
}

const NOTES = [
  'each contender has a link, a server and a client of its own; up to 100 Mbit/s all of them run at once, above in turn',
  'the queue of a link holds what the path does (bandwidth times delay), and 64 packets at least; its packets have 1,500 bytes',
  'net.ipv4.tcp_fastopen=3, tcp_no_metrics_save=1, cubic unless said otherwise',
] as const;

async function measureIn(scratch: string, effort: Effort): Promise<Result> {
  const files = join(scratch, 'files');
  mkdirSync(files);
  writeFiles(files, effort.quick);
  const report = (name: string): string => join(scratch, `report-${name}.json`);
  const workshop: Workshop = {
    link: compile('link', scratch),
    client: compile('client', scratch),
    app: 'apps/link-server',
    environment: (name) => ({ FILES: files, SOCKET_TUNE_REPORT: report(name) }),
  };
  // Nearly nothing is done there, for minutes.
  const silent = effort.quick ? undefined : silentPeer(workshop, scratch);
  const measuring = withLanes(CONTENDERS, workshop, async (lanes) => {
    const figures = await measureAll(lanes, effort);
    return { figures, late: howLate(lanes) };
  });
  const [{ figures, late }, silence] = await Promise.all([measuring, silent]);
  return {
    tables: [...figures.map(toTable), ...(silence === undefined ? [] : [silence])],
    comparisons: figures.map(toComparison),
    notes: [...NOTES, late, ...PRESETS.map((preset) => howFilesWent(report(preset), preset))],
  };
}

async function run(effort: Effort): Promise<Result> {
  const why = obstacle();
  if (why !== undefined) return { tables: [], notes: [`skipped, as ${why}`] };
  process.setMaxListeners(MOST_PROCESSES);
  return withScratch((scratch) => measureIn(scratch, effort));
}

export const linkScenario: Scenario = {
  name: 'link',
  what: 'all presets across networks of many kinds (root needed)',
  run,
};
