import { expect } from 'chai';
import { fdOf } from '../../../src/native/sockets/handle-fd.js';
import { refillDelay, type SendMemory, sendMemoryCall } from '../../../src/native/sockets/refill-delay.js';
import type { TcpInfo } from '../../../src/native/sockets/tcp-info.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { handleOf, socketPair } from '../../support/sockets/socket-pair.js';

/** Numbers from the middle of a download over 40 ms, 1 Gbit/s: the whole buffer is in flight. */
const FULL: TcpInfo = {
  state: 'ESTAB',
  roundTripTime: 40_800,
  roundTripVariation: 500,
  minRoundTripTime: 40_100,
  congestionWindow: 6700,
  unacknowledged: 2890,
  segmentSize: 1448,
  retransmits: 0,
  notSentBytes: 0,
  deliveryRate: 90_000_000,
  bytesSent: 14_000_000,
  bytesAcknowledged: 10_000_000,
  bytesReceived: 100,
  bytesRetransmitted: 0,
};
const MEMORY: SendMemory = { size: 4_194_304, queued: 4_200_000 };

function delayOf(info: Partial<TcpInfo>, memory: Partial<SendMemory> = {}): number {
  return refillDelay({ ...FULL, ...info }, () => ({ ...MEMORY, ...memory }));
}

describe('the delay until a full socket is refilled', () => {
  it('is an eighth of the round trip while the whole buffer is in flight', () => {
    expect(delayOf({})).to.equal(5);
    expect(delayOf({ roundTripTime: 200_000 })).to.equal(25);
    expect(delayOf({ roundTripTime: 8000 })).to.equal(1);
    // The latest refill waits to be sent.
    expect(delayOf({ unacknowledged: 2200, notSentBytes: 1_000_000 })).to.equal(5);
  });

  it('is none on a short path, where the socket reports room as soon', () => {
    expect(delayOf({ roundTripTime: 7900 })).to.equal(0);
    expect(delayOf({ roundTripTime: 60 })).to.equal(0);
  });

  it('is none where unsent bytes last until the socket reports room', () => {
    expect(delayOf({ unacknowledged: 1900, notSentBytes: 1_400_000 })).to.equal(0);
    expect(delayOf({ unacknowledged: 0, notSentBytes: 4_000_000 })).to.equal(0);
  });

  it('is none where the refill would be small', () => {
    expect(delayOf({ unacknowledged: 363 })).to.equal(5);
    expect(delayOf({ unacknowledged: 362 })).to.equal(0);
  });

  it('is none where the socket reports room earlier, as its buffer is not full', () => {
    expect(delayOf({}, { queued: 3_200_000 })).to.equal(5);
    expect(delayOf({}, { queued: 3_190_000 })).to.equal(0);
  });

  it('is none where the kernel’s numbers are missing, and no call is made without need', () => {
    const never = (): never => {
      throw new Error('asked for nothing');
    };
    expect(refillDelay(undefined, never)).to.equal(0);
    expect(refillDelay({ ...FULL, notSentBytes: undefined }, never)).to.equal(0);
    expect(refillDelay({ ...FULL, roundTripTime: 60 }, never)).to.equal(0);
    expect(refillDelay(FULL, () => undefined)).to.equal(0);
  });

  describe('with the kernel’s numbers', () => {
    const scratch = useScratch();

    before(function () {
      if (process.platform !== 'linux') this.skip();
    });

    it('follows the send buffer', async () => {
      const pair = await socketPair();
      const handle = handleOf(pair.accepted);
      pair.client.pause();
      const sent = realFiles().send(fdOf(handle), Buffer.alloc(64 << 20), false);
      const memory = sendMemoryCall(linux().get)(fdOf(handle));
      expect(memory?.size).to.equal(kernelValue(handle, 'SO_SNDBUF'));
      const waiting = linux().tcpInfo(handle)?.notSentBytes ?? Number.NaN;
      expect(sent).to.be.greaterThan(waiting);
      // The kernel counts its own structures too.
      expect(memory?.queued).to.be.greaterThan(waiting);
      expect(waiting).to.be.greaterThan(0);
      pair.close();
    });

    it('is none over loopback, on Unix sockets, and without a socket', async () => {
      for (const path of [undefined, scratch.path('socket')]) {
        const pair = await socketPair(path);
        pair.client.pause();
        pair.accepted.write(Buffer.alloc(8 << 20));
        expect(realFiles().refillDelay(fdOf(handleOf(pair.accepted)))).to.equal(0);
        pair.close();
      }
      expect(realFiles().refillDelay(-1)).to.equal(0);
    });
  });
});
