import { expect } from 'chai';
import { runApp } from '../support/processes/node-process.js';
import { repository } from '../support/processes/scratch-project.js';

/** Registers a meter provider, when it is called. */
const SETUP = `
const { createRequire } = require('node:module');
const load = createRequire(${JSON.stringify(`${repository}/package.json`)});
function setUp() {
  const { metrics } = load('@opentelemetry/api');
  const sdk = load('@opentelemetry/sdk-metrics');
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new sdk.MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return async () => {
    await provider.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    await provider.shutdown();
    return scopes.filter(({ scope }) => scope.name === 'socket-tune').flatMap(({ metrics }) => metrics);
  };
}
`;

/** Serves three requests to itself, and prints what was collected then: names and values. */
function app(early: string, late: string): string {
  return `${SETUP}
const http = require('node:http');
let collect = ${early};
const ask = (port) => new Promise((resolve) => {
  http.get({ port, host: '127.0.0.1', agent: false }, (response) => response.resume().on('end', resolve));
});
const server = http.createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  await ask(port);
  ${late};
  await ask(port);
  await ask(port);
  const collected = await collect?.() ?? [];
  const points = collected.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]);
  console.log(JSON.stringify({ port, metrics: Object.fromEntries(points) }));
  server.close();
});`;
}

interface Point {
  readonly value: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Printed {
  readonly port: number;
  readonly metrics: Readonly<Record<string, readonly Point[]>>;
}

async function printedBy(source: string, env: Record<string, string> = {}): Promise<Printed> {
  const { code, stdout, stderr } = await runApp('cjs', source, { env });
  expect([code, stderr]).to.deep.equal([0, '']);
  return JSON.parse(stdout);
}

describe('an app with OpenTelemetry under the preload', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [when, early, late] of [
    ['before it listens', 'setUp()', ''],
    ['after its first request', 'undefined', 'collect = setUp()'],
  ] as const) {
    it(`has our metrics where it sets its meter provider ${when}`, async () => {
      const { port, metrics } = await printedBy(app(early, late));
      const attributes = { 'network.local.address': '127.0.0.1', 'network.local.port': port };
      const [connections] = metrics['socket_tune.listener.connections'] ?? [];
      expect(connections).to.deep.include({ attributes, value: 3 });
      const [limit] = metrics['socket_tune.accept_queue.limit'] ?? [];
      expect(limit).to.deep.include({ attributes });
      expect(limit?.value).to.be.at.least(511);
      expect(metrics['socket_tune.namespace.listen_overflows']).to.have.length(1);
    });
  }

  it('has none of them with SOCKET_TUNE_OTEL=off', async () => {
    const { metrics } = await printedBy(app('setUp()', ''), { SOCKET_TUNE_OTEL: 'off' });
    expect(metrics).to.deep.equal({});
  });

  it('loads nothing of it where the app has none', async () => {
    const { metrics } = await printedBy(
      app(
        'undefined',
        `if (Object.getOwnPropertySymbols(globalThis).some((symbol) => String(symbol).includes('opentelemetry'))) throw 1;
         if (Object.keys(require.cache).some((path) => path.includes('opentelemetry'))) throw 2`,
      ),
    );
    expect(metrics).to.deep.equal({});
  });
});
