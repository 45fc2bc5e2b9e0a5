import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { CLIENT_CORE, entry, PRELOAD, pinned } from '../machine.js';
import { type Server, startServer } from '../server.js';
import { LineProgram } from './line-program.js';
import { Link, type LinkRecord, SERVER_ADDRESS } from './link.js';
import { setWithin, within } from './namespaces.js';

export const STOCK = 'stock';
export const PRESETS = ['default', 'lowlatency', 'highthroughput'] as const;
/** Contenders; the first is the base of the ratios. */
export const CONTENDERS = [STOCK, ...PRESETS] as const;

export const HTTP_PORT = 8080;
export const MESSAGE_PORT = HTTP_PORT + 1;

/** Greatest rate at which all lanes run side by side: the machine still has CPU time left. */
const GREATEST_SHARED_RATE = 100;

/** Priority over other work of the machine, which must not delay a server; see also be_on_time in link.c. */
const REAL_TIME = ['chrt', '-r', '1'] as const;
/** The same prefix, or none: containers may forbid it. */
const ON_TIME = spawnSync('chrt', [...REAL_TIME.slice(1), 'true']).status === 0 ? REAL_TIME : [];

/** Parts that all lanes share. */
export interface Workshop {
  /** Directory for files of the lanes. */
  readonly scratch: string;
  /** Programs, compiled from link.c and client.c. */
  readonly link: string;
  readonly client: string;
  /** Module of the servers, and variables for it. */
  readonly app: string;
  /** Path of a contender's report, written at its end. */
  report(contender: string): string;
  environment(contender: string): Readonly<Record<string, string>>;
  /** Sysctls of the servers' namespaces, below /proc/sys/net. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Contender with its own link, server and client. */
export interface Lane {
  readonly name: string;
  readonly link: Link;
  readonly server: Server;
  /** Greatest lateness of its link so far; see LinkCounts. */
  lateMs: number;
  /** Send a job to the client; see client.c. */
  ask<T>(job: string, ...words: readonly (string | number)[]): Promise<T>;
  close(): Promise<void>;
}

function environmentOf(name: string, workshop: Workshop): Record<string, string> {
  const preset = name === STOCK ? {} : { SOCKET_TUNE_PRESET: name };
  return { HOST: SERVER_ADDRESS, PORT: String(HTTP_PORT), ...preset, ...workshop.environment(name) };
}

export async function openLane(name: string, workshop: Workshop): Promise<Lane> {
  const link = new Link(workshop.link);
  try {
    await link.open();
    for (const [setting, value] of Object.entries(workshop.settings ?? {})) setWithin(link.server, setting, value);
    const preload = name === STOCK ? [] : ['--import', PRELOAD];
    const app = within(link.server, [...ON_TIME, process.execPath, ...preload, entry(workshop.app)]);
    const server = await startServer(app, { environment: environmentOf(name, workshop) });
    const client = new LineProgram(pinned(CLIENT_CORE, within(link.client, [...ON_TIME, workshop.client])));
    return {
      name,
      link,
      server,
      lateMs: 0,
      ask: async (job, ...words) => JSON.parse(await client.ask([job, ...words].join(' '))),
      close: async () => {
        client.stop();
        await server.stop();
        link.close();
      },
    };
  } catch (error) {
    link.close();
    throw error;
  }
}

/** Run `use` with lanes, and close them in any case. */
export async function withLanes<T>(
  names: readonly string[],
  workshop: Workshop,
  use: (lanes: readonly Lane[]) => Promise<T>,
): Promise<T> {
  const opened = await Promise.allSettled(names.map((name) => openLane(name, workshop)));
  const lanes = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  try {
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
    return await use(lanes);
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

/**
 * Measure all lanes once, over links that lose the same packets. They run at the same time if the machine has CPU time; else one after
 * another, every other time in the opposite order.
 *
 * @returns the samples, in the order of the lanes
 */
export async function acrossLanes<T>(
  lanes: readonly Lane[],
  record: LinkRecord,
  seed: number,
  measure: (lane: Lane) => Promise<T>,
  { inTurn = record.rateMbit > GREATEST_SHARED_RATE }: { readonly inTurn?: boolean } = {},
): Promise<T[]> {
  const one = async (lane: Lane, index: number): Promise<readonly [number, T]> => {
    await lane.link.set(record, seed);
    const sample = await measure(lane);
    lane.lateMs = Math.max(lane.lateMs, (await lane.link.counts()).lateMs);
    // Connections that are left get their end.
    await pause(record.roundTripMs + 10);
    return [index, sample];
  };
  const turns = lanes.map((lane, index) => () => one(lane, index));
  if (seed % 2 === 1) turns.reverse();
  const samples: (readonly [number, T])[] = [];
  if (inTurn) for (const turn of turns) samples.push(await turn());
  else samples.push(...(await Promise.all(turns.map((turn) => turn()))));
  return samples.sort(([a], [b]) => a - b).map(([, sample]) => sample);
}
