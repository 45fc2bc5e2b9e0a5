import type { MetricRow } from '../report/metrics/row.js';
import { METRICS } from '../report/metrics/table.js';
import type { Report } from '../report/report.js';
import type { ConnectionSnapshot, Snapshot } from '../report/snapshot.js';
import type * as Prometheus from './prometheus.js';

type Client = typeof Prometheus;
type Registry = InstanceType<Client['Registry']>;

const MICROSECONDS_PER_SECOND = 1e6;

interface Exposition {
  readonly client: Client;
  readonly registry: Registry;
}

/** The registry is new for each answer, so one `inc` gives the counter its value. */
function addRow({ client, registry }: Exposition, row: MetricRow, report: Report): void {
  const samples = row.samples(report);
  // A metric without labels would begin with 0, which would be wrong of a figure that is not known.
  if (samples.length === 0 && row.labels.length === 0) return;
  const { help, labels } = row;
  const configuration = { name: `socket_tune_${row.name}`, help, labelNames: [...labels], registers: [registry] };
  if (row.type === 'counter') {
    const counter = new client.Counter(configuration);
    for (const sample of samples) counter.inc(sample.labels, sample.value);
  } else {
    const gauge = new client.Gauge(configuration);
    for (const sample of samples) gauge.set(sample.labels, sample.value);
  }
}

/** The time at a share of the sorted ones, in seconds: the nearest rank. */
function quantile(sorted: readonly number[], share: number): number | undefined {
  const time = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return time === undefined ? undefined : time / MICROSECONDS_PER_SECOND;
}

function sumOf(
  connections: readonly ConnectionSnapshot[],
  figureOf: (connection: ConnectionSnapshot) => number | undefined,
): number {
  return connections.reduce((total, connection) => total + (figureOf(connection) ?? 0), 0);
}

interface Figure {
  readonly name: string;
  readonly help: string;
  /** Absent if it is not known. */
  readonly value: number | undefined;
}

/**
 * What the open connections are like now. Connections end, so each figure may fall: they are gauges. A histogram's buckets must not
 * fall, and a summary's quantiles are of all that was ever observed.
 */
function openFigures({ connections: { open, shown } }: Snapshot): readonly Figure[] {
  const times = shown.flatMap(({ tcp }) => (tcp === undefined ? [] : [tcp.roundTripTime])).sort((a, b) => a - b);
  const retransmits = sumOf(shown, ({ tcp }) => tcp?.retransmits);
  const unsent = sumOf(shown, ({ tcp }) => tcp?.notSentBytes);
  const [median, p99, max] = [0.5, 0.99, 1].map((share) => quantile(times, share));
  return [
    { name: 'open_connections', help: 'Accepted connections that are open now.', value: open },
    { name: 'open_retransmits', help: 'Retransmits (segments) of the open connections.', value: retransmits },
    { name: 'open_unsent_bytes', help: 'Bytes that open connections have yet to send.', value: unsent },
    { name: 'open_round_trip_median_seconds', help: 'Median round-trip time of the open connections.', value: median },
    { name: 'open_round_trip_p99_seconds', help: '99 of 100 open connections have no longer round trip.', value: p99 },
    { name: 'open_round_trip_max_seconds', help: 'Longest round-trip time of the open connections.', value: max },
  ];
}

function addGauge(
  { client, registry }: Exposition,
  name: string,
  help: string,
  labels: Readonly<Record<string, string>>,
  value: number,
): void {
  const configuration = { name: `socket_tune_${name}`, help, labelNames: Object.keys(labels), registers: [registry] };
  new client.Gauge(configuration).set(labels, value);
}

/** The metrics in Prometheus' text format. */
export async function metrics(snapshot: Snapshot): Promise<{ type: string; body: string }> {
  const client = await import('./prometheus.js');
  const registry = new client.Registry();
  const all = { client, registry };
  const { version, node } = snapshot;
  addGauge(
    all,
    'build_info',
    '1, labelled with the versions of socket-tune and of Node.',
    { version, node_version: node },
    1,
  );
  for (const row of METRICS) addRow(all, row, snapshot.report);
  for (const { name, help, value } of openFigures(snapshot))
    if (value !== undefined) addGauge(all, name, help, {}, value);
  return { type: registry.contentType, body: await registry.metrics() };
}
