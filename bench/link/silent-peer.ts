import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cell, Table } from '../scenario.js';
import { CONTENDERS, HTTP_PORT, type Lane, MESSAGE_PORT, type Workshop, withLanes } from './lane.js';
import { SERVER_ADDRESS } from './link.js';
import { link } from './points.js';

/** Time limit: longer than the longest timeout of any preset. */
const WATCHED_SECONDS = 150;

const ROUND_TRIP_MS = 40;
const BEFORE_MS = 500;

const KINDS = { idle: HTTP_PORT, sending: MESSAGE_PORT } as const;
type Kind = keyof typeof KINDS;

const MEANING: Readonly<Record<Kind, string>> = {
  idle: 'nothing is said on the connection',
  sending: 'the server sends a little again and again',
};

/** Event of the app. */
interface End {
  readonly kind: Kind;
  readonly code: string;
  readonly at: number;
}

function endsOf(events: string): End[] {
  if (!existsSync(events)) return [];
  const lines = readFileSync(events, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** Connect, then cut the client off. */
async function vanish(lane: Lane): Promise<number> {
  const record = link(ROUND_TRIP_MS, 100);
  await lane.link.set(record, 1);
  for (const port of Object.values(KINDS)) await lane.ask('hold', SERVER_ADDRESS, port, BEFORE_MS);
  await lane.link.cut(record);
  return Date.now();
}

/** Time until servers notice that a client's machine is gone. It takes minutes, and nearly no CPU time. */
export async function silentPeer(workshop: Workshop): Promise<Table> {
  const eventsOf = (name: string): string => join(workshop.scratch, `events-${name}`);
  const own = { ...workshop, app: 'apps/silent-peer', environment: (name: string) => ({ EVENTS: eventsOf(name) }) };
  const cuts = await withLanes(CONTENDERS, own, async (lanes) => {
    const cut = await Promise.all(lanes.map(vanish));
    await pause(WATCHED_SECONDS * 1e3);
    return cut;
  });
  const cell = (name: string, cut: number | undefined, kind: Kind): Cell => {
    const end = endsOf(eventsOf(name)).find((one) => one.kind === kind);
    return end === undefined
      ? `not in ${WATCHED_SECONDS} s`
      : `${((end.at - (cut ?? 0)) / 1e3).toFixed(1)} (${end.code})`;
  };
  const kinds: Kind[] = ['idle', 'sending'];
  return {
    title: 'A client’s machine is gone: how long the server takes to notice, in seconds',
    columns: ['', ...CONTENDERS],
    rows: kinds.map((kind) => [MEANING[kind], ...CONTENDERS.map((name, index) => cell(name, cuts[index], kind))]),
  };
}
