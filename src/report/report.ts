import { fs } from '../node/modules.js';
import type { OptionOutcome } from '../options/outcome.js';
import { counters } from './counters.js';
import { busiest, DESTINATION_COLUMNS } from './destination-columns.js';
import { formatBytes, formatDropped, formatQueue, formatQueueAdvice } from './format.js';
import { leavingRecord } from './leaving.js';
import { type ListenerRecord, listenerRecords, type PortGroupRecord, type QueueRecord } from './listener-record.js';
import { type DropRecord, dropRecord, lookAtQueues } from './live/accept-queues.js';
import { type DestinationReport, destinationReports } from './live/outgoing.js';
import { lookForMeterProvider } from './metrics/meter-provider.js';
import type { RequestRecord } from './request-record.js';
import { type BatchRecord, batchRecord, datagramRecord, outgoingRecord, type SocketRecord } from './socket-record.js';

/** What was tuned in this thread so far, and how files were sent. */
export interface Report {
  readonly listeners: readonly ListenerRecord[];
  readonly connections: number;
  /** What the listeners of the network namespace have dropped; absent before the process listens, and where the system does not tell. */
  readonly dropped?: DropRecord;
  /** Outgoing sockets, if these are tuned. */
  readonly outgoing: SocketRecord;
  /** The places that the process has opened connections to, in the order in which it came to them. */
  readonly destinations: readonly DestinationReport[];
  /** UDP sockets. */
  readonly datagrams: SocketRecord;
  /** Datagrams that left together; absent where none has, as without SOCKET_TUNE_UDP_GSO. */
  readonly batches?: BatchRecord;
  readonly quickAcks: number;
  readonly requests: RequestRecord;
  /** Connections of pools that were not used again, as the peer had closed them. By destination: `stale` there. */
  readonly staleConnections: number;
  readonly files: {
    readonly reroutedStreams: number;
    readonly sendfileBytes: number;
    /** Bytes of rerouted streams that were copied, by reason. */
    readonly copiedBytes: Readonly<Record<string, number>>;
    /** Streams that took Node's own path, by reason. */
    readonly notRerouted: Readonly<Record<string, number>>;
    readonly truncatedFiles: number;
    /** Calls of `fs` that were answered without the thread pool, by name. */
    readonly inlineCalls: Readonly<Record<string, number>>;
    /** Calls of the same functions that took the thread pool, by reason. */
    readonly pooledCalls: Readonly<Record<string, number>>;
  };
  /** Sockets that are piped to sockets. */
  readonly splices: {
    /** Pairs of which at least one byte went by splice(2). */
    readonly pairs: number;
    readonly bytes: number;
    /** Pairs that moved whole buffers through JavaScript, by reason. */
    readonly notSpliced: Readonly<Record<string, number>>;
  };
}

export function makeReport(): Report {
  lookForMeterProvider();
  lookAtQueues();
  const dropped = dropRecord();
  return {
    listeners: listenerRecords(),
    connections: counters.connections,
    ...(dropped === undefined ? {} : { dropped }),
    outgoing: outgoingRecord,
    destinations: destinationReports(),
    datagrams: datagramRecord,
    ...(batchRecord.sends + batchRecord.refusedSockets > 0 && { batches: batchRecord }),
    quickAcks: counters.quickAcks,
    requests: { ...leavingRecord, ...(counters.idleClosed !== undefined && { idleClosed: counters.idleClosed }) },
    staleConnections: counters.staleConnections,
    files: {
      reroutedStreams: counters.reroutedStreams,
      sendfileBytes: counters.sendfileBytes,
      copiedBytes: Object.fromEntries(counters.copiedBytes),
      notRerouted: Object.fromEntries(counters.notRerouted),
      truncatedFiles: counters.truncatedFiles,
      inlineCalls: Object.fromEntries(counters.inlineCalls),
      pooledCalls: Object.fromEntries(counters.pooledCalls),
    },
    splices: {
      pairs: counters.splicedPairs,
      bytes: counters.splicedBytes,
      notSpliced: Object.fromEntries(counters.notSpliced),
    },
  };
}

function outcomeLine(outcome: OptionOutcome): string {
  const kernel = outcome.kernel === undefined ? '' : `, kernel ${outcome.kernel}`;
  const why = outcome.cause ?? outcome.note;
  return `  ${outcome.constant}: asked ${outcome.asked}${kernel}: ${outcome.verdict}${why === undefined ? '' : ` (${why})`}`;
}

function groupLines({ listeners, workers = {}, imbalance }: PortGroupRecord): string[] {
  const counts = Object.entries(workers).map(([pid, connections]) => `${pid}: ${connections}`);
  return [
    `  ${listeners} listeners share the port`,
    ...(counts.length === 0 ? [] : [`  accepted by process ${counts.join(', ')}`]),
    ...(imbalance === undefined ? [] : [`  imbalance ${imbalance.toFixed(2)}: the busiest over the mean`]),
  ];
}

function queueLines(queue: QueueRecord): string[] {
  const advice = formatQueueAdvice(queue);
  return [`  ${formatQueue(queue)}`, ...(advice === undefined ? [] : [`  ${advice}`])];
}

function listenerLines(record: ListenerRecord): string[] {
  const accepted = record.accepted.length === 0 ? [] : [' first accepted socket', ...record.accepted.map(outcomeLine)];
  return [
    `listener ${record.address}, ${record.connections} connections`,
    ...(record.group === undefined ? [] : groupLines(record.group)),
    ...(record.acceptQueue === undefined ? [] : queueLines(record.acceptQueue)),
    ...record.outcomes.map(outcomeLine),
    ...accepted,
  ];
}

function socketLines(title: string, { sockets, outcomes }: SocketRecord): string[] {
  return sockets === 0 ? [] : [`${title}, ${sockets} sockets`, ' the first', ...outcomes.map(outcomeLine)];
}

/** More are in the JSON. */
const MOST_DESTINATION_LINES = 100;

function destinationLine(destination: DestinationReport): string {
  const [name, ...figures] = DESTINATION_COLUMNS;
  const told = figures.map(({ head, text }) => `${head} ${text(destination)}`);
  return `destination ${name?.text(destination)}: ${told.join(', ')}`;
}

function reasonLines(title: string, reasons: Readonly<Record<string, number>>): string[] {
  return Object.entries(reasons).map(([reason, amount]) => `  ${title} ${reason}: ${amount}`);
}

function batchLines({ batches }: Report): string[] {
  if (batches === undefined) return [];
  const { datagrams, sends, refusedSockets } = batches;
  return [`udp: ${datagrams} datagrams left in ${sends} batches, ${refusedSockets} sockets were refused them`];
}

/** None in a process that pipes no socket to another. */
function spliceLines({ pairs, bytes, notSpliced }: Report['splices']): string[] {
  const reasons = reasonLines('pairs left to Node,', notSpliced);
  if (pairs === 0 && reasons.length === 0) return [];
  return [`splices: ${formatBytes(bytes)} through ${pairs} pairs of sockets`, ...reasons];
}

function idleLines({ idleClosed }: RequestRecord): string[] {
  return idleClosed === undefined ? [] : [`requests: ${idleClosed} idle connections closed by Node`];
}

function leavingLines({ cutConnections = 0, unanswered = 0, unansweredRequests = [] }: RequestRecord): string[] {
  if (cutConnections === 0) return [];
  return [
    `drain: ${cutConnections} connections cut, ${unanswered} requests without an answer`,
    ...unansweredRequests.map(({ method, path, age }) => `  ${method} ${path}, ${age} ms`),
  ];
}

/**
 * What was tuned in this thread so far, and how files were sent.
 *
 * It has listeners and their connections, outgoing and UDP sockets, each with the verdicts on their options. For files it has
 * bytes by sendfile and by copy, and reasons for not rerouting. The result is a copy that does not change.
 */
export function stats(): Report {
  return structuredClone(makeReport());
}

/** 0 in the main thread. */
function threadId(): number {
  return process.getBuiltinModule('node:worker_threads').threadId;
}

/** The report as text for people. */
export function formatReport(report: Report): string {
  const { files } = report;
  return [
    `socket-tune report of process ${process.pid}${threadId() === 0 ? '' : `, thread ${threadId()}`}`,
    ...report.listeners.flatMap(listenerLines),
    ...(report.dropped === undefined ? [] : [formatDropped(report.dropped)]),
    ...socketLines('outgoing', report.outgoing),
    ...busiest(report.destinations, MOST_DESTINATION_LINES).map(destinationLine),
    ...socketLines('udp', report.datagrams),
    ...batchLines(report),
    ...idleLines(report.requests),
    ...leavingLines(report.requests),
    ...(report.staleConnections === 0
      ? []
      : [`pools: ${report.staleConnections} connections not used again, as the peer had closed them`]),
    `files: ${files.reroutedStreams} streams rerouted, ${files.sendfileBytes} bytes by sendfile`,
    ...reasonLines('bytes copied,', files.copiedBytes),
    ...reasonLines('streams not rerouted,', files.notRerouted),
    ...reasonLines('calls without the thread pool,', files.inlineCalls),
    ...reasonLines('calls by the thread pool,', files.pooledCalls),
    ...spliceLines(report.splices),
  ].join('\n');
}

/** An error must not change how the process ends, so it is only printed. */
function writeFile(path: string, report: Report): void {
  try {
    fs().writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (error) {
    process.stderr.write(`socket-tune: the report could not be written: ${String(error)}\n`);
  }
}

/**
 * Write the report now.
 *
 * @param destination `exit` for standard error, else the path of a JSON file, in which %p is the process and %t the thread
 */
export function writeReport(destination: string): void {
  const report = makeReport();
  if (destination === 'exit') process.stderr.write(`${formatReport(report)}\n`);
  else writeFile(destination.replaceAll('%p', String(process.pid)).replaceAll('%t', String(threadId())), report);
}

/** Write the report when the process exits, or the worker thread. A terminated worker writes none. */
export function reportAtExit(destination: string): () => void {
  const write = (): void => writeReport(destination);
  process.on('exit', write);
  return () => process.off('exit', write);
}
