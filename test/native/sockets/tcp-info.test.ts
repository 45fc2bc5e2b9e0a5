import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { expect } from 'chai';
import { tcpInfo } from '../../../src/api/tcp-info.js';
import { useScratch } from '../../support/files/scratch.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';

describe('TCP_INFO of a connection', () => {
  const scratch = useScratch();
  let pair: SocketPair;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => pair.close());

  it('is what a C program reads from the same socket', function () {
    pair.accepted.write(Buffer.alloc(300_000));
    const fields = {
      segmentSize: 'snd_mss',
      unacknowledged: 'unacked',
      roundTripTime: 'rtt',
      roundTripVariation: 'rttvar',
      congestionWindow: 'snd_cwnd',
      retransmits: 'total_retrans',
      bytesAcknowledged: 'bytes_acked',
      bytesReceived: 'bytes_received',
      notSentBytes: 'notsent_bytes',
      minRoundTripTime: 'min_rtt',
      deliveryRate: 'delivery_rate',
      bytesSent: 'bytes_sent',
      bytesRetransmitted: 'bytes_retrans',
    };
    const program = scratch.path('tcp-info');
    const source = scratch.file(
      'tcp-info.c',
      `#include <stdio.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
int main(void) {
  struct tcp_info i;
  socklen_t size = sizeof i;
  if (getsockopt(0, IPPROTO_TCP, TCP_INFO, &i, &size) != 0) return 1;
  printf("{${Object.entries(fields)
    .map(([name]) => `\\"${name}\\": %llu`)
    .join(', ')}}", ${Object.values(fields)
    .map((field) => `(unsigned long long)i.tcpi_${field}`)
    .join(', ')});
}`,
    );
    try {
      execFileSync('cc', ['-o', program, source], { stdio: 'pipe' });
    } catch {
      // No compiler here.
      this.skip();
    }
    // A paused reader: nothing changes between the two readings.
    const { fd } = handleOf(pair.accepted);
    const read = execFileSync(program, { stdio: [fd!, 'pipe', 'pipe'], encoding: 'utf8' });
    const own = linux().tcpInfo(handleOf(pair.accepted));
    expect(own).to.include({ state: 'ESTAB' });
    expect(own).to.deep.include(JSON.parse(read));
    expect(own?.bytesSent).to.be.greaterThan(0);
  });

  it('is undefined for a Unix socket, and for a closed one', async () => {
    const unix = await socketPair(scratch.path('socket'));
    expect(tcpInfo(unix.accepted)).to.equal(undefined);
    unix.close();
    const handle = handleOf(pair.accepted);
    pair.accepted.destroy();
    expect(linux().tcpInfo(handle)).to.equal(undefined);
    expect(() => tcpInfo(pair.accepted))
      .to.throw()
      .with.property('code', 'ERR_SOCKET_TUNE_SOCKET_CLOSED');
    expect(() => tcpInfo({} as never))
      .to.throw()
      .with.property('code', 'ERR_SOCKET_TUNE_INVALID_ARG');
  });

  it('is that of the connection below TLS', async () => {
    const files = makeCertificate(scratch.path(''));
    const [key, cert] = [readFileSync(files.key), readFileSync(files.cert)];
    const server = tls.createServer({ key, cert }, (socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const client = tls.connect({ port: address.port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(client, 'secureConnect');
    expect(tcpInfo(client)?.bytesReceived).to.be.greaterThan(500);
    client.destroy();
    server.close();
  });

  it('grows with sent and received bytes', async () => {
    const before = tcpInfo(pair.client);
    pair.accepted.write('x'.repeat(1234));
    await once(pair.client, 'data');
    const after = tcpInfo(pair.client);
    expect((after?.bytesReceived ?? 0) - (before?.bytesReceived ?? 0)).to.equal(1234);
  });
});
