import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { parseInspectAddress } from '../config/inspect-address.js';
import type { OptionOutcome } from '../options/outcome.js';
import { CONNECTION_COLUMNS, type ConnectionColumn } from '../report/connection-columns.js';
import { busiest, DESTINATION_COLUMNS } from '../report/destination-columns.js';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDropped,
  formatQueue,
  formatQueueAdvice,
  formatRequests,
  formatSharing,
} from '../report/format.js';
import type { ListenerRecord, QueueRecord } from '../report/listener-record.js';
import type { DestinationReport } from '../report/live/outgoing.js';
import type { ConnectionSnapshot, Snapshot } from '../report/snapshot.js';
import type { Output } from './output.js';

const VARIABLE = 'SOCKET_TUNE_INSPECT';

/** A process may be busy for a moment. */
const ANSWER_TIMEOUT_MS = 3000;

const MOST_CONNECTIONS = 20;

const MOST_DESTINATIONS = 10;

/** Why there is nothing to show, in words for the user. */
export class TopError extends Error {}

function howToStart(pid: number): string {
  return `process ${pid} does not tell anything of itself; start it with ${VARIABLE}=127.0.0.1:9465`;
}

/** The variables that a process was started with. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new TopError(`process ${pid} cannot be looked at: ${cause}`, { cause: error });
  }
}

/** Each port of the process's range: it listens on one of them. */
function urlsOf(pid: number): string[] {
  const variable = environmentOf(pid)
    .split('\0')
    .find((line) => line.startsWith(`${VARIABLE}=`));
  const parsed = parseInspectAddress(variable?.slice(VARIABLE.length + 1) ?? 'off');
  if (!('value' in parsed) || parsed.value === undefined) throw new TopError(howToStart(pid));
  const { host, ports } = parsed.value;
  const [first, last] = ports;
  const name = host.includes(':') ? `[${host}]` : host;
  return Array.from({ length: last - first + 1 }, (_, index) => `http://${name}:${first + index}/`);
}

async function askForSnapshot(url: string): Promise<Snapshot> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const answer = await fetch(new URL('snapshot.json', url), { signal }).catch((error: unknown) => {
    throw new TopError(`${url} does not answer`, { cause: error });
  });
  if (!answer.ok) throw new TopError(`${url} answers with ${answer.status}`);
  const snapshot: Snapshot = JSON.parse(await answer.text());
  return snapshot;
}

/** The URL at which a process serves its snapshot. */
async function findProcess(pid: number): Promise<string> {
  for (const url of urlsOf(pid)) {
    const snapshot = await askForSnapshot(url).catch(() => undefined);
    if (snapshot?.pid === pid) return url;
  }
  throw new TopError(`process ${pid} does not answer where its ${VARIABLE} says`);
}

function urlFrom(target: string): string {
  if (!URL.canParse(target)) throw new TopError(`'${target}' is neither the number of a process nor a URL`);
  return target.endsWith('/') ? target : `${target}/`;
}

function queueTexts(output: Output, queue: QueueRecord): string[] {
  const advice = formatQueueAdvice(queue);
  return [formatQueue(queue), ...(advice === undefined ? [] : [output.style('red', advice)])];
}

function listenerLine(output: Output, { address, connections, outcomes, group, acceptQueue }: ListenerRecord): string {
  const notable = outcomes.filter(({ verdict }) => ['clamped', 'inert', 'refused'].includes(verdict));
  const tell = ({ constant, verdict }: OptionOutcome): string =>
    output.style(verdict === 'refused' ? 'red' : 'yellow', `${constant} ${verdict}`);
  const applied = outcomes.filter(({ verdict }) => verdict === 'applied').length;
  return [
    output.style('bold', address),
    `${formatCount(connections)} accepted`,
    `${applied} options applied`,
    ...(group === undefined ? [] : formatSharing(group)),
    ...(acceptQueue === undefined ? [] : queueTexts(output, acceptQueue)),
    ...notable.map(tell),
  ].join('  ');
}

const TOP_COLUMNS: readonly ConnectionColumn[] = [
  ...CONNECTION_COLUMNS,
  { head: 'otherwise', text: ({ bytesWritten, bytesBySendfile }) => formatBytes(bytesWritten - bytesBySendfile) },
];

/** Two words are two lines: a terminal is narrow. */
function headsOf(columns: ReadonlyArray<{ readonly head: string }>): string[] {
  return columns.map(({ head }) => head.replace(' ', '\n'));
}

const HEADS = headsOf(TOP_COLUMNS);
const DESTINATION_HEADS = headsOf(DESTINATION_COLUMNS);

function destinationTable(output: Output, destinations: readonly DestinationReport[]): string[] {
  if (destinations.length === 0) return [];
  const rows = busiest(destinations, MOST_DESTINATIONS).map((one) => DESTINATION_COLUMNS.map(({ text }) => text(one)));
  const which = destinations.length > MOST_DESTINATIONS ? `, the ${MOST_DESTINATIONS} busiest` : '';
  const title = `${formatCount(destinations.length)} destinations of outgoing connections${which}`;
  return ['', title, output.table(DESTINATION_HEADS, rows)];
}

function connectionRow(connection: ConnectionSnapshot): string[] {
  return TOP_COLUMNS.map(({ text }) => text(connection));
}

function amountsByReason(amounts: Readonly<Record<string, number>>, format: (amount: number) => string): string {
  const told = Object.entries(amounts).map(([reason, amount]) => `${reason} ${format(amount)}`);
  return told.length === 0 ? 'none' : told.join(', ');
}

/** A snapshot as a screen of text. */
function formatSnapshot(output: Output, { pid, title, node, at, began, report, connections }: Snapshot): string {
  const { files, listeners, dropped, destinations, requests } = report;
  const rows = connections.shown.slice(0, MOST_CONNECTIONS).map(connectionRow);
  return [
    `${output.style('bold', `socket-tune: process ${pid}`)} ${title}, Node ${node}, up ${formatAge(at - began)}`,
    '',
    ...listeners.map((listener) => listenerLine(output, listener)),
    ...(dropped === undefined ? [] : [formatDropped(dropped)]),
    ...formatRequests(requests),
    '',
    `files: ${formatCount(files.reroutedStreams)} rerouted, ${formatBytes(files.sendfileBytes)} by sendfile`,
    `copied: ${amountsByReason(files.copiedBytes, formatBytes)}`,
    `not rerouted: ${amountsByReason(files.notRerouted, formatCount)}`,
    '',
    `${formatCount(connections.open)} open connections${connections.open > MOST_CONNECTIONS ? `, the ${MOST_CONNECTIONS} slowest` : ''}`,
    ...(rows.length === 0 ? [] : [output.table(HEADS, rows)]),
    ...destinationTable(output, destinations),
  ].join('\n');
}

/** q, or Ctrl-C, which a raw terminal hands over as a character. */
const QUIT: readonly string[] = ['q', 'Q', '\u0003'];
const HOME = '\u001b[H';
const CLEAR_SCREEN = '\u001b[2J';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Overwrite the screen line by line, so that nothing flickers. */
function redraw(output: Output, screen: string): void {
  output.line(`${HOME}${screen.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_LINE}${CLEAR_BELOW}`);
}

async function watch(output: Output, url: string, seconds: number, stdin: NodeJS.ReadStream): Promise<void> {
  const ended = new AbortController();
  stdin.setRawMode(true).setEncoding('utf8');
  stdin.on('data', (keys) => {
    if (QUIT.some((key) => String(keys).includes(key))) ended.abort();
  });
  output.line(CLEAR_SCREEN);
  try {
    while (!ended.signal.aborted) {
      redraw(output, formatSnapshot(output, await askForSnapshot(url)));
      await setTimeout(seconds * 1000, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  } finally {
    stdin.setRawMode(false).pause();
  }
}

export interface TopOptions {
  readonly json: boolean;
  readonly once: boolean;
  /** Seconds between two snapshots. */
  readonly interval: number;
}

/**
 * Show what a tuned process is doing: on a terminal until the user quits, else once.
 *
 * @param target the number of a process, or the URL of its SOCKET_TUNE_INSPECT
 * @throws {TopError} if there is nothing to show
 */
export async function top(output: Output, target: string, { json, once, interval }: TopOptions): Promise<void> {
  const url = /^\d+$/.test(target) ? await findProcess(Number(target)) : urlFrom(target);
  const first = await askForSnapshot(url);
  if (json) output.json(first);
  else if (once || !output.isTerminal || !process.stdin.isTTY) output.line(formatSnapshot(output, first));
  else await watch(output, url, interval, process.stdin);
}
