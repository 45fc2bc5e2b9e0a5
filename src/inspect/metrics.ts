import type { MetricRow } from '../report/metrics/row.js';
import { METRICS } from '../report/metrics/table.js';
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
  for (const row of METRICS) addRow(all, row, report);
  addConnections(all, connections.open, connections.shown);
  return { type: registry.contentType, body: await registry.metrics() };
}
