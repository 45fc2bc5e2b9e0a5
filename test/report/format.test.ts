import { expect } from 'chai';
import { CONNECTION_COLUMNS } from '../../src/report/connection-columns.js';
import { formatAge, formatBytes, formatCount, formatRate, formatSharing, formatTime } from '../../src/report/format.js';

describe('figures for people, in top and on the page', () => {
  it('writes sizes and times for people', () => {
    expect([undefined, 0, 1023, 1024, 17.2 * 2 ** 20, 200 * 2 ** 30].map(formatBytes)).to.deep.equal([
      '–',
      '0 B',
      '1023 B',
      '1.0 KB',
      '17.2 MB',
      '200 GB',
    ]);
    expect([undefined, 350, 12_500, 1_200_000].map(formatTime)).to.deep.equal(['–', '350 µs', '12.5 ms', '1.2 s']);
    expect([12_999, 200_000, 18_120_000, 349_200_000].map(formatAge)).to.deep.equal([
      '12 s',
      '3 min 20 s',
      '5 h 2 min',
      '4 d 1 h',
    ]);
  });

  it('writes no decimals beyond the third digit, and no unit beyond TB', () => {
    expect([99_949, 99_999, 123_456].map(formatTime)).to.deep.equal(['99.9 ms', '100.0 ms', '123 ms']);
    expect([123.4 * 1024, 5000 * 2 ** 40, 12.6].map(formatBytes)).to.deep.equal(['123 KB', '5000 TB', '13 B']);
  });

  it('writes rates and counts for people', () => {
    expect([undefined, 0, 1536].map(formatRate)).to.deep.equal(['–', '0 B/s', '1.5 KB/s']);
    expect([undefined, 0, 999, 1234, 1_234_567].map(formatCount)).to.deep.equal([
      '–',
      '0',
      '999',
      '1,234',
      '1,234,567',
    ]);
  });

  it('writes how listeners share a port', () => {
    expect(formatSharing({ listeners: 4 })).to.deep.equal(['4 listeners share the port']);
    expect(formatSharing({ listeners: 4, imbalance: 1.256 })).to.deep.equal([
      '4 listeners share the port',
      'imbalance 1.26',
    ]);
  });

  it('has the same columns for every connection, with a dash for what the kernel does not tell', () => {
    const connection = {
      listener: '/run/app.sock',
      peer: '-',
      age: 61_000,
      bytesRead: 1,
      bytesWritten: 2,
      bytesBySendfile: 2048,
    };
    expect(CONNECTION_COLUMNS.map(({ head, text }) => `${head}: ${text(connection)}`)).to.deep.equal([
      'peer: -',
      'listener: /run/app.sock',
      'age: 1 min 1 s',
      'round trip: –',
      'retransmits: –',
      'congestion window: –',
      'delivery: –',
      'unsent: –',
      'by sendfile: 2.0 KB',
    ]);
  });
});
