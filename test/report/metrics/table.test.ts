import { expect } from 'chai';
import type { DestinationReport } from '../../../src/report/live/outgoing.js';
import { METRICS } from '../../../src/report/metrics/table.js';
import { makeReport, type Report } from '../../../src/report/report.js';

function samplesOf(name: string, report: Report): Record<string, number> {
  const row = METRICS.find((candidate) => candidate.name === name);
  const samples = row?.samples(report) ?? [];
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

function destination(index: number): DestinationReport {
  return {
    destination: `host-${index}:80`,
    open: 1,
    opened: 2,
    failed: 0,
    connectTime: 3000,
    dead: 0,
    stale: 0,
    roundTripTime: 1000 * (index + 1),
  };
}

function withDestinations(amount: number): Report {
  return { ...makeReport(), destinations: Array.from({ length: amount }, (_, index) => destination(index)) };
}

describe('the metrics', () => {
  it('have names and types as Prometheus wants them: counters end in _total, and all else does not', () => {
    for (const { name, type } of METRICS) {
      expect(name).to.match(/^[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
    }
    expect(new Set(METRICS.map(({ name }) => name)).size).to.equal(METRICS.length);
  });

  it('have names and units as OpenTelemetry wants them: no _total, and no unit in the name', () => {
    const instruments = METRICS.flatMap(({ instrument }) => instrument ?? []);
    expect(new Set(instruments).size).to.equal(instruments.length);
    for (const name of instruments)
      expect(name)
        .to.match(/^[a-z_]+(?:\.[a-z_]+)?$/)
        .and.not.match(/total|seconds|bytes/);
    for (const { unit } of METRICS) expect(unit).to.match(/^(?:1|s|By|\{[a-z]+\})$/);
  });

  it('are of the labels that they say', () => {
    const [first] = withDestinations(1).destinations;
    const outcome = { option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, verdict: 'applied' } as const;
    const acceptQueue = { length: 1, limit: 2, drops: 3, highest: 4, raise: 'net.core.somaxconn' };
    const listener = { address: '[::]:80', outcomes: [outcome], accepted: [outcome], connections: 1, acceptQueue };
    const counter = { since: 1, total: 2 };
    const report: Report = {
      ...makeReport(),
      listeners: [{ ...listener, group: { listeners: 2 } }],
      dropped: { overflows: counter, drops: counter },
      batches: { datagrams: 2, sends: 1, refusedSockets: 1 },
      splices: { pairs: 1, bytes: 1, notSpliced: { stdio: 1 } },
      destinations: first === undefined ? [] : [{ ...first, retransmits: 1 }],
      requests: { idleClosed: 1, draining: true, cutConnections: 2, unanswered: 3 },
      files: {
        ...makeReport().files,
        copiedBytes: { 'socket-full': 1 },
        notRerouted: { compressed: 1 },
        inlineCalls: { stat: 1 },
        pooledCalls: { missing: 1 },
      },
    };
    for (const { name, labels, samples } of METRICS) {
      const made = samples(report);
      expect(made, name).not.to.have.length(0);
      for (const sample of made) expect(Object.keys(sample.labels), name).to.deep.equal(labels);
    }
  });

  it('have 100 destinations, always the same ones, and the others as one', () => {
    const report = withDestinations(150);
    const opened = samplesOf('destination_opened_total', report);
    expect(Object.keys(opened)).to.have.length(101);
    expect(opened).to.include({ 'host-0:80': 2, 'host-99:80': 2, others: 100 });
    expect(samplesOf('destination_connect_seconds_total', report)).to.include({ 'host-0:80': 3, others: 150 });
    expect(samplesOf('destination_round_trip_seconds', report)).to.include({ 'host-0:80': 0.001, others: 0.15 });
    // The records beyond the bound of their own have this name too.
    const summed = { ...destination(0), destination: 'others', opened: 7 };
    const all = { ...report, destinations: [...report.destinations, summed] };
    expect(samplesOf('destination_opened_total', all)).to.include({ others: 107 });
    const busier = report.destinations.map((record, index) => ({ ...record, opened: index * 10 }));
    const later = samplesOf('destination_opened_total', { ...report, destinations: busier });
    expect(Object.keys(later)).to.deep.equal(Object.keys(opened));
  });

  it('sum what several listeners of an address have, and leave the queues of closed ones out', () => {
    const record = { address: '[::]:80', outcomes: [], accepted: [], connections: 3 };
    const acceptQueue = { length: 1, limit: 10, drops: 5, highest: 4, raise: 'net.core.somaxconn' };
    const closed = { ...acceptQueue, length: 0, highest: 9, closed: true } as const;
    const listeners = [
      { ...record, acceptQueue: closed },
      { ...record, acceptQueue },
      { ...record, acceptQueue },
      record,
    ];
    const report: Report = { ...makeReport(), listeners };
    expect(samplesOf('listener_connections_total', report)).to.deep.equal({ '[::]:80': 12 });
    expect(samplesOf('accept_queue_length', report)).to.deep.equal({ '[::]:80': 2 });
    expect(samplesOf('accept_queue_limit', report)).to.deep.equal({ '[::]:80': 20 });
    expect(samplesOf('accept_queue_highest', report)).to.deep.equal({ '[::]:80': 9 });
    expect(samplesOf('accept_queue_drops_total', report)).to.deep.equal({ '[::]:80': 15 });
  });

  it('have no sample of what is not known', () => {
    const { dropped, ...report } = makeReport();
    expect(samplesOf('namespace_listen_drops_total', { ...report, requests: {} })).to.deep.equal({});
    expect(samplesOf('draining', { ...report, requests: {} })).to.deep.equal({});
    expect(samplesOf('draining', { ...report, requests: { draining: false } })).to.deep.equal({ '': 0 });
  });
});
