import type { OptionOutcome } from '../../options/outcome.js';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDropped,
  formatQueue,
  formatQueueAdvice,
  formatRequests,
  formatSharing,
} from '../../report/format.js';
import type { ListenerRecord, QueueRecord } from '../../report/listener-record.js';
import type { Snapshot } from '../../report/snapshot.js';
import { type Output, wrap } from '../output.js';
import { cut } from './fitted-table.js';
import { VIEWS, type View } from './views.js';

/** What a screen without an end, such as a file, gets of each table. */
const MOST_ROWS = 20;

/** Ahead of what did not fit into the line before. */
const INDENT = '  ';

/** The app, its process and its Node. */
export function titleOf({ app, pid, node, at, began }: Snapshot): string {
  return `${app}, process ${pid}, Node ${node}, up ${formatAge(at - began)}`;
}

/** Totals: what the tables do not have, or have line by line. */
export function totalsOf({ report, connections }: Snapshot): string[] {
  const { files, dropped, requests } = report;
  const copied = Object.values(files.copiedBytes).reduce((sum, bytes) => sum + bytes, 0);
  const advice = report.listeners.flatMap(({ address, acceptQueue }) => {
    const text = acceptQueue && formatQueueAdvice(acceptQueue);
    return text === undefined ? [] : [`${address}: ${text}`];
  });
  return [
    `${formatCount(connections.open)} connections open, ${formatCount(report.connections)} accepted; files: ${formatBytes(files.sendfileBytes)} by sendfile, ${formatBytes(copied)} copied`,
    ...advice,
    ...(dropped === undefined || dropped.drops.since === 0 ? [] : [formatDropped(dropped)]),
    ...formatRequests(requests),
  ];
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

function amountsByReason(amounts: Readonly<Record<string, number>>, format: (amount: number) => string): string {
  const told = Object.entries(amounts).map(([reason, amount]) => `${reason} ${format(amount)}`);
  return told.length === 0 ? 'none' : told.join(', ');
}

function tableLines(output: Output, view: View, snapshot: Snapshot, width: number): string[] {
  const count = view.count(snapshot);
  const { heads, rows } = view.table(snapshot, view.order, width);
  const which = count > MOST_ROWS ? `, the first ${MOST_ROWS} by ${view.order.by}` : '';
  const title = `${formatCount(count)} ${view.name}${which}`;
  if (count === 0) return [title];
  return [title, ...heads.map((head) => output.style('bold', head)), ...rows.slice(0, MOST_ROWS)];
}

/**
 * A snapshot as text that is printed once.
 *
 * @param width of a terminal; infinite elsewhere
 */
export function formatSnapshot(output: Output, snapshot: Snapshot, width: number): string {
  const { files, listeners, dropped, destinations, requests } = snapshot.report;
  const [connectionView, destinationView] = VIEWS;
  const told = [
    ...listeners.map((listener) => listenerLine(output, listener)),
    ...(dropped === undefined ? [] : [formatDropped(dropped)]),
    ...formatRequests(requests),
    '',
    `files: ${formatCount(files.reroutedStreams)} rerouted, ${formatBytes(files.sendfileBytes)} by sendfile`,
    `copied: ${amountsByReason(files.copiedBytes, formatBytes)}`,
    `not rerouted: ${amountsByReason(files.notRerouted, formatCount)}`,
  ];
  return [
    output.style('bold', cut(`socket-tune: ${titleOf(snapshot)}`, width)),
    '',
    ...told.map((line) => wrap(line, width - INDENT.length).join(`\n${INDENT}`)),
    '',
    ...tableLines(output, connectionView, snapshot, width),
    ...(destinations.length === 0 || destinationView === undefined
      ? []
      : ['', ...tableLines(output, destinationView, snapshot, width)]),
  ].join('\n');
}
