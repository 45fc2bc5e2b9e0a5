import { readFileSync } from 'node:fs';
import type { Effort, Result, Scenario } from '../scenario.js';
import { BACKLOG_POINTS, backlog } from './backlog.js';
import { type Figures, toComparison, toTable } from './figures.js';
import { firstByte, lossyPage } from './first-byte.js';
import { CONTENDERS, type Lane, PRESETS, type Workshop, withLanes } from './lane.js';
import { THROUGHPUT_POINTS } from './points.js';
import { silentPeer } from './silent-peer.js';
import { smallBuffers } from './small-buffers.js';
import { throughput } from './throughput.js';
import { onLinks, warmUp } from './workshop.js';

/** The report must show sendfile: a preload that falls back to Node would be measured just as well. */
function howFilesWent(workshop: Workshop, preset: string): string {
  const { files } = JSON.parse(readFileSync(workshop.report(preset), 'utf8'));
  const counts = (by: unknown): string => JSON.stringify(by).replaceAll('"', '');
  return (
    `${preset}: ${Math.round(files.sendfileBytes / 1e6)} MB of ${files.reroutedStreams} files by sendfile; ` +
    `copied bytes: ${counts(files.copiedBytes)}; files not rerouted: ${counts(files.notRerouted)}`
  );
}

function howLate(lanes: readonly Lane[]): string {
  const late = Math.max(...lanes.map(({ lateMs }) => lateMs));
  return `of a hundred packets of a measurement, 99 were late by less than ${late.toFixed(2)} ms`;
}

const NOTES = [
  'each contender has a link, a server and a client of its own; up to 100 Mbit/s all of them run at once, above in turn',
  'the queue of a link holds what the path does (bandwidth times delay), and 64 packets at least; its packets have 1,500 bytes',
  'busy server: it has other work for a third of its time, a millisecond at once',
  'where a preset seems slower by over 5 %, it is measured twice as often; MISSED: nine rounds of ten agree on that; too noisy: they do not',
  'the server keeps 4 MB of objects, as an app with a framework does (bench/apps/app-heap.ts)',
  'net.ipv4.tcp_fastopen=3, tcp_no_metrics_save=1, cubic unless said otherwise',
] as const;

async function measureAll(lanes: readonly Lane[], effort: Effort): Promise<Figures[]> {
  await Promise.all(lanes.map(warmUp));
  const waits = [
    ...(await firstByte(lanes, effort)),
    await lossyPage(lanes, effort),
    ...(await backlog(lanes, effort)),
  ];
  return [...waits, ...(await throughput(lanes, effort))];
}

async function measure(workshop: Workshop, effort: Effort): Promise<Result> {
  // It takes minutes, and nearly no CPU time.
  const silent = effort.quick ? undefined : silentPeer(workshop);
  const measuring = withLanes(CONTENDERS, workshop, async (lanes) => {
    const figures = await measureAll(lanes, effort);
    return { figures, late: howLate(lanes) };
  });
  const { figures, late } = await measuring;
  if (!effort.quick) figures.push(...(await smallBuffers(workshop)));
  const silence = await silent;
  return {
    tables: [...figures.map(toTable), ...(silence === undefined ? [] : [silence])],
    comparisons: figures.map(toComparison),
    notes: [...NOTES, late, ...PRESETS.map((preset) => howFilesWent(workshop, preset))],
  };
}

export const linkScenario: Scenario = {
  name: 'link',
  what: 'all presets across networks of many kinds (root needed)',
  run: (effort) => {
    const sizes = [...THROUGHPUT_POINTS, ...BACKLOG_POINTS].filter((point) => point.quick || !effort.quick);
    return onLinks(sizes, (workshop) => measure(workshop, effort));
  },
};
