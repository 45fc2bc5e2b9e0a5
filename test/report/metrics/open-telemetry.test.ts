import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { count, counters } from '../../../src/report/counters.js';
import { destinationOf } from '../../../src/report/destination-record.js';
import { addListenerRecord } from '../../../src/report/listener-record.js';
import { noteOutgoing } from '../../../src/report/live/outgoing.js';
import { lookForMeterProvider } from '../../../src/report/metrics/meter-provider.js';
import { sendTelemetry } from '../../../src/report/metrics/open-telemetry.js';
import { fakePlatform } from '../../support/fake-platform.js';

/** Longer than any test. */
const NEVER_MS = 3_600_000;

const API = Symbol.for('opentelemetry.js.api.1');

/** A provider whose metrics are kept in memory. */
class Collected {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly provider: MeterProvider;

  constructor() {
    const reader = new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: NEVER_MS });
    this.provider = new MeterProvider({ readers: [reader] });
  }

  /** Our metrics as they are now. */
  async metrics(): Promise<readonly MetricData[]> {
    this.#exporter.reset();
    await this.provider.forceFlush();
    const scopes = this.#exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return scopes.filter(({ scope }) => scope.name === 'socket-tune').flatMap((scope) => scope.metrics);
  }

  async metric(name: string): Promise<MetricData | undefined> {
    return (await this.metrics()).find(({ descriptor }) => descriptor.name === name);
  }
}

// Made when the files are loaded: only the first hundred have series of their own, and other tests connect to many.
const DATABASE = destinationOf('db.internal', 5432);
const LINK_LOCAL = destinationOf('fe80::1', 80);

describe('OpenTelemetry of the app', () => {
  const platform = fakePlatform();
  const made: Collected[] = [];
  let stop: (() => void) | undefined;

  function collected(): Collected {
    const one = new Collected();
    made.push(one);
    return one;
  }

  afterEach(async () => {
    stop?.();
    metrics.disable();
    counters.copiedBytes.delete('a reason of this test');
    for (const { provider } of made.splice(0)) await provider.shutdown();
    Reflect.deleteProperty(globalThis, API);
  });

  it('gets the metrics where its meter provider is there before us', async () => {
    const own = collected();
    metrics.setGlobalMeterProvider(own.provider);
    stop = sendTelemetry(() => platform);
    counters.quickAcks += 1;
    const metric = await own.metric('socket_tune.quick_acks');
    expect(metric?.descriptor).to.include({ unit: '{time}', description: 'Times TCP_QUICKACK was armed again.' });
    expect(metric?.dataPoints.map(({ value }) => value)).to.deep.equal([counters.quickAcks]);
    counters.quickAcks += 5;
    const later = await own.metric('socket_tune.quick_acks');
    expect(later?.dataPoints.map(({ value }) => value)).to.deep.equal([counters.quickAcks]);
  });

  it('gets them where it comes later, from the next listener, connection or look on', async () => {
    stop = sendTelemetry(() => platform);
    const own = collected();
    metrics.setGlobalMeterProvider(own.provider);
    expect(await own.metrics()).to.deep.equal([]);
    noteOutgoing({ fd: -1 }, destinationOf('later', 1));
    expect(await own.metric('socket_tune.quick_acks')).not.to.equal(undefined);
  });

  it('is left alone where it has none, and no global comes of it', () => {
    stop = sendTelemetry(() => platform);
    lookForMeterProvider();
    expect(Reflect.has(globalThis, API)).to.equal(false);
  });

  it('has another provider, and the first one gets nothing any more', async () => {
    const [first, second] = [collected(), collected()];
    const acksOf = async (one: Collected): Promise<unknown> =>
      (await one.metric('socket_tune.quick_acks'))?.dataPoints[0]?.value;
    metrics.setGlobalMeterProvider(first.provider);
    stop = sendTelemetry(() => platform);
    const before = counters.quickAcks;
    expect(await acksOf(first)).to.equal(before);
    metrics.disable();
    lookForMeterProvider();
    counters.quickAcks++;
    // The SDK repeats the last value of a counter that nobody observes any more.
    expect(await acksOf(first)).to.equal(before);
    metrics.setGlobalMeterProvider(second.provider);
    lookForMeterProvider();
    expect(await acksOf(second)).to.equal(before + 1);
    expect(await acksOf(first)).to.equal(before);
    stop();
    counters.quickAcks++;
    expect(await acksOf(second)).to.equal(before + 1);
  });

  it('has attributes by the semantic conventions', async () => {
    const own = collected();
    metrics.setGlobalMeterProvider(own.provider);
    stop = sendTelemetry(() => platform);
    DATABASE.opened++;
    LINK_LOCAL.opened++;
    addListenerRecord({ address: '[::]:8443', outcomes: [], accepted: [], connections: 4 });
    addListenerRecord({ address: '/run/app.sock', outcomes: [], accepted: [], connections: 2 });
    count(counters.copiedBytes, 'a reason of this test', 7);
    const attributes = async (name: string): Promise<unknown[]> =>
      ((await own.metric(name))?.dataPoints ?? []).map((point) => ({ ...point.attributes, value: point.value }));
    expect(await attributes('socket_tune.destination.opened')).to.deep.include.members([
      { 'server.address': 'db.internal', 'server.port': 5432, value: 1 },
      { 'server.address': 'fe80::1', 'server.port': 80, value: 1 },
    ]);
    expect(await attributes('socket_tune.listener.connections')).to.deep.include.members([
      { 'network.local.address': '::', 'network.local.port': 8443, value: 4 },
      { 'network.local.address': '/run/app.sock', value: 2 },
    ]);
    expect(await attributes('socket_tune.files.copied')).to.deep.include({
      'socket_tune.reason': 'a reason of this test',
      value: 7,
    });
  });

  it('costs nothing until somebody collects', async () => {
    let looks = 0;
    const counting = fakePlatform({
      tcpInfo() {
        looks++;
        return undefined;
      },
    });
    const own = collected();
    metrics.setGlobalMeterProvider(own.provider);
    stop = sendTelemetry(() => counting);
    noteOutgoing({ fd: 3 }, destinationOf('uncollected', 1));
    expect(looks).to.equal(0);
    await own.metrics();
    noteOutgoing({ fd: 3 }, destinationOf('collected', 1));
    await own.metrics();
    expect(looks).to.equal(1);
  });

  it('may throw, or be something else: nothing of it reaches the app', () => {
    const throwing = {
      getMeter() {
        throw new Error('of the app');
      },
    };
    for (const provider of [throwing, 7, {}, { getMeter: 7 }, { getMeter: () => ({}) }, null]) {
      Reflect.set(globalThis, API, { metrics: provider });
      stop = sendTelemetry(() => platform);
      lookForMeterProvider();
      stop();
    }
    Reflect.set(globalThis, API, 'no object');
    stop = sendTelemetry(() => platform);
  });
});
