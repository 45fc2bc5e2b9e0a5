import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { count, counters } from '../../src/report/counters.js';
import { addListenerRecord, type ListenerRecord, listenerRecords } from '../../src/report/listener-record.js';
import { formatReport, makeReport, type Report, reportAtExit } from '../../src/report/report.js';
import { useScratch } from '../support/files/scratch.js';
import { watchPrinting } from '../support/test-run/printed.js';

const RECORD: ListenerRecord = {
  address: '127.0.0.1:8080',
  outcomes: [
    { option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, verdict: 'applied', kernel: 1 },
    { option: 'userTimeout', constant: 'TCP_USER_TIMEOUT', asked: 5, verdict: 'refused', cause: 'EPERM' },
  ],
  accepted: [{ option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, verdict: 'inherited', kernel: 1 }],
  connections: 3,
};

const REPORT: Report = {
  listeners: [RECORD, { address: '/run/app.sock', outcomes: [], accepted: [], connections: 0 }],
  connections: 3,
  outgoing: { sockets: 0, outcomes: [] },
  destinations: [],
  requests: {},
  datagrams: { sockets: 0, outcomes: [] },
  quickAcks: 2,
  staleConnections: 4,
  files: {
    reroutedStreams: 5,
    sendfileBytes: 12_345,
    copiedBytes: { 'socket-full': 678 },
    notRerouted: { 'small-file': 9, 'no-body': 1 },
    inlineCalls: {},
    pooledCalls: {},
    truncatedFiles: 0,
  },
  splices: { pairs: 0, bytes: 0, notSpliced: {} },
};

/** The same, with what the kernel says of it. */
const WATCHED: Report = {
  ...REPORT,
  listeners: [
    {
      ...RECORD,
      outcomes: [],
      accepted: [],
      acceptQueue: { length: 3, limit: 128, highest: 129, drops: 7, raise: 'net.core.somaxconn' },
    },
    {
      ...RECORD,
      outcomes: [],
      accepted: [],
      acceptQueue: { length: 1, limit: 128, highest: 1, drops: 0, raise: 'net.core.somaxconn' },
    },
  ],
  dropped: { overflows: { since: 7, total: 1234 }, drops: { since: 8, total: 2345 } },
  destinations: [
    { destination: '[::1]:80', open: 0, opened: 0, failed: 4, connectTime: 0, dead: 0, stale: 0 },
    {
      destination: 'db.internal:5432',
      open: 2,
      opened: 10,
      failed: 1,
      connectTime: 25,
      dead: 3,
      stale: 4,
      roundTripTime: 1500,
      retransmits: 6,
    },
  ],
};

describe('the report', () => {
  const scratch = useScratch();

  afterEach(() => {
    counters.copiedBytes.delete('a reason of this test');
    counters.notRerouted.delete('a reason of this test');
  });

  it('has what the counters have counted', () => {
    const before = makeReport();
    counters.connections += 7;
    counters.quickAcks += 6;
    counters.reroutedStreams += 5;
    counters.sendfileBytes += 4;
    counters.truncatedFiles += 3;
    count(counters.copiedBytes, 'a reason of this test', 2);
    count(counters.copiedBytes, 'a reason of this test', 20);
    count(counters.notRerouted, 'a reason of this test');
    count(counters.notRerouted, 'a reason of this test');
    const after = makeReport();
    expect(after.connections - before.connections).to.equal(7);
    expect(after.quickAcks - before.quickAcks).to.equal(6);
    expect(after.files.reroutedStreams - before.files.reroutedStreams).to.equal(5);
    expect(after.files.sendfileBytes - before.files.sendfileBytes).to.equal(4);
    expect(after.files.truncatedFiles - before.files.truncatedFiles).to.equal(3);
    expect(before.files.copiedBytes).not.to.have.property('a reason of this test');
    expect(after.files.copiedBytes).to.have.property('a reason of this test', 22);
    expect(after.files.notRerouted).to.have.property('a reason of this test', 2);
  });

  it('has the listeners, the latest last, and does not keep them without end', () => {
    for (let port = 0; port < 300; port++) addListenerRecord({ ...RECORD, address: `[::]:${port}` });
    const { listeners } = makeReport();
    expect(listeners).to.equal(listenerRecords());
    expect(listeners).to.have.length(256);
    expect(listeners.at(-1)?.address).to.equal('[::]:299');
    expect(listeners[0]?.address).to.equal('[::]:44');
  });

  it('is lines for people', () => {
    expect(formatReport(REPORT).split('\n')).to.deep.equal([
      `socket-tune report of process ${process.pid}`,
      'listener 127.0.0.1:8080, 3 connections',
      '  TCP_NODELAY: asked 1, kernel 1: applied',
      '  TCP_USER_TIMEOUT: asked 5: refused (EPERM)',
      ' first accepted socket',
      '  TCP_NODELAY: asked 1, kernel 1: inherited',
      'listener /run/app.sock, 0 connections',
      'pools: 4 connections not used again, as the peer had closed them',
      'files: 5 streams rerouted, 12345 bytes by sendfile',
      '  bytes copied, socket-full: 678',
      '  streams not rerouted, small-file: 9',
      '  streams not rerouted, no-body: 1',
    ]);
  });

  it('has accept queues, with what to raise where one was full, and destinations, the busiest first', () => {
    expect(formatReport(WATCHED).split('\n').slice(1, -4)).to.deep.equal([
      'listener 127.0.0.1:8080, 3 connections',
      '  accept queue 3 of 128, longest 129',
      '  7 dropped: raise net.core.somaxconn above 128, or accept faster',
      'listener 127.0.0.1:8080, 3 connections',
      '  accept queue 1 of 128',
      'network namespace: 7 times an accept queue was full, 8 drops since the process listens (1,234 and 2,345 in all)',
      'destination db.internal:5432: open 2, opened 10, failed 1, connect time 2.5 ms, round trip 1.5 ms, retransmits 6, dead 3, stale 4',
      'destination [::1]:80: open 0, opened 0, failed 4, connect time –, round trip –, retransmits –, dead 0, stale 0',
      'pools: 4 connections not used again, as the peer had closed them',
    ]);
  });

  it('can be made into JSON and back', () => {
    expect(JSON.parse(JSON.stringify(WATCHED))).to.deep.equal(WATCHED);
    expect(JSON.parse(JSON.stringify(makeReport()))).to.deep.equal(makeReport());
  });

  describe('at the end of the process', () => {
    /** What is done at the end, done now. */
    function atExit(destination: string): { end: () => void; callOff: () => void } {
      const before = process.listeners('exit');
      const callOff = reportAtExit(destination);
      const added = process.listeners('exit').filter((listener) => !before.includes(listener));
      expect(added).to.have.length(1);
      return { end: () => Reflect.apply(added[0]!, process, [0]), callOff };
    }

    function printedBy(end: () => void, callOff: () => void): string {
      let printed = '';
      const unwatch = watchPrinting((text) => {
        printed += text;
      });
      try {
        end();
      } finally {
        unwatch();
        callOff();
      }
      return printed;
    }

    it('goes to a file, as JSON, with the number of the process in its name', () => {
      const { end, callOff } = atExit(scratch.path('report-%p-%p.json'));
      end();
      callOff();
      const text = readFileSync(scratch.path(`report-${process.pid}-${process.pid}.json`), 'utf8');
      expect(text).to.match(/\}\n$/);
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(JSON.stringify(makeReport())));
    });

    it('goes to standard error, as text', () => {
      const { end, callOff } = atExit('exit');
      expect(printedBy(end, callOff)).to.equal(`${formatReport(makeReport())}\n`);
    });

    it('does not throw where its file cannot be written: the process has to end as it would', () => {
      const { end, callOff } = atExit(scratch.path('no/such/directory/report.json'));
      expect(printedBy(end, callOff)).to.match(/^socket-tune: the report could not be written: Error: ENOENT/);
    });

    it('is not written once it was called off', () => {
      const before = process.listenerCount('exit');
      const { callOff } = atExit(scratch.path('never.json'));
      expect(process.listenerCount('exit')).to.equal(before + 1);
      callOff();
      expect(process.listenerCount('exit')).to.equal(before);
    });
  });
});
