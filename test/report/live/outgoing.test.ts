import { expect } from 'chai';
import type { Platform } from '../../../src/native/platform.js';
import type { TcpInfo } from '../../../src/native/sockets/tcp-info.js';
import type { SocketHandle } from '../../../src/node/net.js';
import { destinationOf } from '../../../src/report/destination-record.js';
import {
  type DestinationReport,
  destinationReports,
  noteOutgoing,
  sampleOutgoing,
  watchOutgoing,
} from '../../../src/report/live/outgoing.js';
import { fakePlatform } from '../../support/fake-platform.js';

const TCP: TcpInfo = {
  state: 'ESTAB',
  roundTripTime: 0,
  roundTripVariation: 0,
  minRoundTripTime: undefined,
  congestionWindow: 10,
  unacknowledged: 0,
  segmentSize: 1448,
  retransmits: 0,
  notSentBytes: undefined,
  deliveryRate: undefined,
  bytesSent: undefined,
  bytesAcknowledged: undefined,
  bytesReceived: undefined,
  bytesRetransmitted: undefined,
};

/** A connection that the fake kernel knows. */
interface Connection extends SocketHandle {
  fd: number;
  roundTripTime: number;
  retransmits: number;
  samples: number;
}

const platform: Platform = fakePlatform({
  tcpInfo(handle) {
    const connection = handle as Connection;
    if (connection.fd < 0) return undefined;
    connection.samples++;
    return { ...TCP, roundTripTime: connection.roundTripTime, retransmits: connection.retransmits };
  },
});

let hosts = 0;

describe('destinations', () => {
  let host: string;
  let unwatch: () => void;

  beforeEach(() => {
    host = `host-${hosts++}`;
    unwatch = watchOutgoing();
  });

  afterEach(() => unwatch());

  function open(roundTripTime = 100, to = host): Connection {
    const handle: Connection = { fd: 5, roundTripTime, retransmits: 0, samples: 0 };
    noteOutgoing(handle, destinationOf(to, 5432));
    return handle;
  }

  function reported(): DestinationReport | undefined {
    return destinationReports().find(({ destination }) => destination === `${host}:5432`);
  }

  it('have the mean round trip of what is open, and nothing of what was never measured', () => {
    const [fast] = [open(100), open(300), open(0)];
    open(9000, 'elsewhere');
    expect(reported()).not.to.have.property('roundTripTime');
    sampleOutgoing(platform);
    expect(reported()?.roundTripTime).to.equal(200);
    if (fast !== undefined) fast.fd = -1;
    sampleOutgoing(platform);
    expect(reported()?.roundTripTime).to.equal(300);
  });

  it('add up retransmits, also those of connections that are closed by now', () => {
    const [one, other] = [open(), open()];
    one.retransmits = 3;
    sampleOutgoing(platform);
    expect(reported()?.retransmits).to.equal(3);
    one.retransmits = 5;
    other.retransmits = 1;
    sampleOutgoing(platform);
    expect(reported()?.retransmits).to.equal(6);
    one.fd = -1;
    sampleOutgoing(platform);
    expect(reported()?.retransmits).to.equal(6);
  });

  it('ask the kernel about 100 connections at once, and about each in turn', () => {
    const connections = Array.from({ length: 250 }, () => open());
    const sampled = (): number => connections.filter(({ samples }) => samples === 1).length;
    sampleOutgoing(platform);
    expect(sampled()).to.equal(100);
    sampleOutgoing(platform);
    expect(sampled()).to.equal(200);
    sampleOutgoing(platform);
    expect(sampled()).to.equal(250);
    sampleOutgoing(platform);
    expect(connections.filter(({ samples }) => samples === 2)).to.have.length(100);
  });

  it('are known without the kernel while nobody watches', () => {
    unwatch();
    const handle = open();
    const record = destinationOf(host, 5432);
    record.opened++;
    sampleOutgoing(platform);
    expect(handle.samples).to.equal(0);
    expect(reported()).to.deep.equal({ ...record });
    expect(record.opened).to.equal(1);
    // The undo of afterEach is the second.
    unwatch = () => undefined;
  });

  it('are watched until the last has looked', () => {
    const other = watchOutgoing();
    other();
    const handle = open();
    sampleOutgoing(platform);
    expect(handle.samples).to.equal(1);
  });
});
