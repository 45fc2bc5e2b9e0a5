import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { watchQueues } from '../live/accept-queues.js';
import { sampleOutgoing, watchOutgoing } from '../live/outgoing.js';
import { makeReport } from '../report.js';
import {
  type Attributes,
  type Instrument,
  type Meter,
  type MeterProvider,
  type ObservableResult,
  watchMeterProvider,
} from './meter-provider.js';
import type { Label, MetricRow, MetricSample } from './row.js';
import { METRICS } from './table.js';

/** Name of the meter: the instrumentation scope. */
const SCOPE = 'socket-tune';

const CREATE = {
  counter: 'createObservableCounter',
  amount: 'createObservableUpDownCounter',
  gauge: 'createObservableGauge',
} as const satisfies Record<MetricRow['type'], keyof Meter>;

/** Host and port: `[::1]:80`. */
const ADDRESS = /^(?:\[(.*)\]|([^:/]*)):(\d+)$/;

/** Attributes of an address by the semantic conventions: `server.address` and `server.port`, or those of `network.local`. */
function addressAttributes(prefix: string, text: string): Attributes {
  const [, bracketed, plain, port] = ADDRESS.exec(text) ?? [];
  const address = bracketed ?? plain;
  // The path of a Unix socket, or all other destinations.
  if (address === undefined) return { [`${prefix}.address`]: text };
  return { [`${prefix}.address`]: address, [`${prefix}.port`]: Number(port) };
}

function attributesOf([label, value]: [string, string]): Attributes {
  if (label === ('destination' satisfies Label)) return addressAttributes('server', value);
  if (label === ('listener' satisfies Label)) return addressAttributes('network.local', value);
  return { [`socket_tune.${label}`]: value };
}

function allAttributes({ labels }: MetricSample): Attributes {
  return Object.fromEntries(Object.entries(labels).flatMap((label) => Object.entries(attributesOf(label))));
}

/** Our instruments at one meter provider. */
class Telemetry {
  readonly #platform: () => Platform;
  readonly #meter: Meter;
  readonly #instruments: ReadonlyMap<MetricRow, Instrument>;
  #unwatch: ReadonlyArray<() => void> = [];

  constructor(platform: () => Platform, provider: MeterProvider) {
    this.#platform = platform;
    this.#meter = provider.getMeter(SCOPE);
    this.#instruments = new Map(
      METRICS.flatMap((row) => {
        const { type, instrument, unit, help } = row;
        if (instrument === undefined) return [];
        return [[row, this.#meter[CREATE[type]](`socket_tune.${instrument}`, { description: help, unit })]];
      }),
    );
    this.#meter.addBatchObservableCallback(this.#observe, [...this.#instruments.values()]);
  }

  readonly #observe = (result: ObservableResult): void => {
    // A provider that nobody reads from costs nothing.
    if (this.#unwatch.length === 0) this.#unwatch = [watchQueues(), watchOutgoing()];
    sampleOutgoing(this.#platform());
    const report = makeReport();
    for (const [row, instrument] of this.#instruments) {
      for (const sample of row.samples(report)) result.observe(instrument, sample.value, allAttributes(sample));
    }
  };

  close(): void {
    this.#meter.removeBatchObservableCallback(this.#observe, [...this.#instruments.values()]);
    for (const undo of this.#unwatch) undo();
    this.#unwatch = [];
  }
}

/**
 * Give our figures to the app's OpenTelemetry, where it has a meter provider, now or later. They are read when the app's exporter asks.
 *
 * @returns an undo
 */
export function sendTelemetry(platform: () => Platform): () => void {
  let telemetry: Telemetry | undefined;
  return watchMeterProvider((provider) => {
    // The provider is the app's: what it throws must not reach who makes a connection.
    try {
      telemetry?.close();
      telemetry = provider && new Telemetry(platform, provider);
      debug('OpenTelemetry: %s', provider === undefined ? 'no meter provider' : 'the instruments are registered');
    } catch (error) {
      telemetry = undefined;
      debug('OpenTelemetry: the instruments are not registered: %s', error);
    }
  });
}
