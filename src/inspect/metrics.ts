import type { OptionOutcome } from '../options/outcome.js';
import type { Report } from '../report/report.js';
import type { ConnectionSnapshot, Snapshot } from '../report/snapshot.js';
import type * as Prometheus from './prometheus.js';

type Client = typeof Prometheus;
type Registry = InstanceType<Client['Registry']>;

/** Bounds in seconds: from a connection within a machine to one around the world. */
const ROUND_TRIPS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const MICROSECONDS_PER_SECOND = 1e6;

interface Exposition {
  readonly client: Client;
  readonly registry: Registry;
}

/** The registry is new for each answer, so one `inc` gives the counter its value. */
function counter({ client, registry }: Exposition, name: string, help: string, value: number): void {
  new client.Counter({ name, help, registers: [registry] }).inc(value);
}

function byLabel(
  { client, registry }: Exposition,
  name: string,
  help: string,
  label: 'reason' | 'call',
  amounts: Readonly<Record<string, number>>,
): void {
  const metric = new client.Counter({ name, help, labelNames: [label], registers: [registry] });
  for (const [value, amount] of Object.entries(amounts)) metric.inc({ [label]: value }, amount);
}

function addReport(to: Exposition, { connections, quickAcks, files, outgoing, datagrams }: Report): void {
  counter(to, 'socket_tune_connections_total', 'Connections accepted by tuned listeners.', connections);
  counter(to, 'socket_tune_outgoing_sockets_total', 'Outgoing sockets that were tuned.', outgoing.sockets);
  counter(to, 'socket_tune_udp_sockets_total', 'UDP sockets that were tuned.', datagrams.sockets);
  counter(to, 'socket_tune_quick_acks_total', 'Times TCP_QUICKACK was armed again.', quickAcks);
  counter(to, 'socket_tune_rerouted_streams_total', 'File streams that were rerouted.', files.reroutedStreams);
  counter(to, 'socket_tune_sendfile_bytes_total', 'Bytes of files sent by sendfile(2).', files.sendfileBytes);
  counter(
    to,
    'socket_tune_truncated_files_total',
    'Files that became shorter while they were sent.',
    files.truncatedFiles,
  );
  const copied = 'Bytes of files that were copied, by reason.';
  byLabel(to, 'socket_tune_copied_bytes_total', copied, 'reason', files.copiedBytes);
  const refused = 'File streams piped to a socket or response that took Node’s own path, by reason.';
  byLabel(to, 'socket_tune_not_rerouted_total', refused, 'reason', files.notRerouted);
  const inline = 'Calls of fs that were answered without the thread pool, by call.';
  byLabel(to, 'socket_tune_inline_fs_calls_total', inline, 'call', files.inlineCalls);
  const pooled = 'Calls of the same functions that took the thread pool, by reason.';
  byLabel(to, 'socket_tune_pooled_fs_calls_total', pooled, 'reason', files.pooledCalls);
}

function addRequests(
  { client, registry }: Exposition,
  { draining, cutConnections, unanswered }: Report['requests'],
): void {
  new client.Gauge({
    name: 'socket_tune_draining',
    help: '1 from the signal on that tells the process to end, or when its last server is closed.',
    registers: [registry],
  }).set(draining ? 1 : 0);
  const to = { client, registry };
  counter(to, 'socket_tune_cut_connections_total', 'Connections cut at the end of a drain.', cutConnections);
  counter(to, 'socket_tune_unanswered_requests_total', 'Requests without an answer on these.', unanswered);
}

function addListeners({ client, registry }: Exposition, { listeners }: Report): void {
  const accepted = new client.Counter({
    name: 'socket_tune_listener_connections_total',
    help: 'Connections accepted, by listener.',
    labelNames: ['listener'],
    registers: [registry],
  });
  const verdicts = new client.Gauge({
    name: 'socket_tune_option',
    help: '1 for the verdict on each option of a listener, and of the first connection that it accepted.',
    labelNames: ['listener', 'socket', 'option', 'verdict'],
    registers: [registry],
  });
  const sharing = new client.Gauge({
    name: 'socket_tune_port_listeners',
    help: 'Listeners that share the port of this one.',
    labelNames: ['listener'],
    registers: [registry],
  });
  for (const { address: listener, connections, outcomes, accepted: first, group } of listeners) {
    accepted.inc({ listener }, connections);
    if (group !== undefined) sharing.set({ listener }, group.listeners);
    const add = (socket: string, all: readonly OptionOutcome[]): void => {
      for (const { constant: option, verdict } of all) verdicts.set({ listener, socket, option, verdict }, 1);
    };
    add('listener', outcomes);
    add('accepted', first);
  }
}

/** These go up and down with the open connections, so they are gauges. */
function addConnections(
  { client, registry }: Exposition,
  open: number,
  connections: readonly ConnectionSnapshot[],
): void {
  const gauge = (name: string, help: string, value: number): void => {
    new client.Gauge({ name, help, registers: [registry] }).set(value);
  };
  const sum = (of: (connection: ConnectionSnapshot) => number | undefined): number =>
    connections.reduce((total, connection) => total + (of(connection) ?? 0), 0);
  gauge('socket_tune_open_connections', 'Accepted connections that are open now.', open);
  gauge(
    'socket_tune_open_retransmits',
    'Retransmits (segments) of the open connections.',
    sum(({ tcp }) => tcp?.retransmits),
  );
  gauge(
    'socket_tune_open_unsent_bytes',
    'Bytes that open connections have yet to send.',
    sum(({ tcp }) => tcp?.notSentBytes),
  );
  const roundTrips = new client.Histogram({
    name: 'socket_tune_open_round_trip_seconds',
    help: 'Smoothed round-trip time of the open connections.',
    buckets: ROUND_TRIPS,
    registers: [registry],
  });
  for (const { tcp } of connections)
    if (tcp !== undefined) roundTrips.observe(tcp.roundTripTime / MICROSECONDS_PER_SECOND);
}

/** The metrics in Prometheus' text format. */
export async function metrics({ report, connections }: Snapshot): Promise<{ type: string; body: string }> {
  const client = await import('./prometheus.js');
  const registry = new client.Registry();
  const all = { client, registry };
  addReport(all, report);
  addRequests(all, report.requests);
  addListeners(all, report);
  addConnections(all, connections.open, connections.shown);
  return { type: registry.contentType, body: await registry.metrics() };
}
