import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ERRNO } from '../../../src/native/errno.js';
import type { KernelPipe, SpliceCalls } from '../../../src/native/platform.js';
import { fdOf } from '../../../src/native/sockets/handle-fd.js';
import { useScratch } from '../../support/files/scratch.js';
import { realSplicing } from '../../support/sockets/piped-pair.js';
import { handleOf, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { isCloseOnExec } from '../../support/test-run/descriptors.js';
import { until } from '../../support/until.js';

const BYTES = Buffer.from('bytes that never come to JavaScript');

describe('the calls that splice', () => {
  const scratch = useScratch();
  let calls: SpliceCalls;
  let incoming: SocketPair;
  let outgoing: SocketPair;
  let pipe: KernelPipe;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    calls = realSplicing();
  });

  beforeEach(async () => {
    incoming = await socketPair();
    outgoing = await socketPair();
    const opened = calls.openPipe(256 << 10);
    if (typeof opened === 'number') throw new Error(`errno ${-opened}`);
    pipe = opened;
  });

  afterEach(() => {
    incoming.close();
    outgoing.close();
    expect([calls.close(pipe.input), calls.close(pipe.output)]).to.deep.equal([0, 0]);
  });

  const source = (): number => fdOf(handleOf(incoming.accepted));
  const sink = (): number => fdOf(handleOf(outgoing.accepted));

  it('open a pipe of the size that is asked for, which no child process inherits', () => {
    expect(pipe.size).to.equal(256 << 10);
    expect([isCloseOnExec(pipe.input), isCloseOnExec(pipe.output)]).to.deep.equal([true, true]);
  });

  it('open a smaller pipe where the system allows no larger one', () => {
    const most = Number(readFileSync('/proc/sys/fs/pipe-max-size', 'utf8'));
    const large = calls.openPipe(most * 4);
    if (typeof large === 'number') throw new Error(`errno ${-large}`);
    // Root may have more.
    expect(large.size).to.be.at.least(process.getuid?.() === 0 ? 64 << 10 : most);
    calls.close(large.input);
    calls.close(large.output);
  });

  it('move bytes from socket to socket, and say how many', async () => {
    expect(calls.unread(source())).to.equal(0);
    incoming.client.write(BYTES);
    await until('the bytes are there', () => calls.unread(source()) === BYTES.length);
    expect(calls.splice(source(), pipe.input, 5)).to.equal(5);
    expect(calls.unread(source())).to.equal(BYTES.length - 5);
    expect(calls.splice(pipe.output, sink(), 100)).to.equal(5);
    const [received] = await once(outgoing.client, 'data');
    expect(String(received)).to.equal('bytes');
  });

  it('wait for nothing, and tell the end', async () => {
    expect(calls.splice(source(), pipe.input, 10)).to.equal(-ERRNO.EAGAIN);
    expect(calls.splice(pipe.output, sink(), 10)).to.equal(-ERRNO.EAGAIN);
    incoming.client.end();
    await until('the end is there', () => calls.splice(source(), pipe.input, 10) === 0);
  });

  it('read what is in a pipe', async () => {
    incoming.client.write(BYTES);
    await until('the bytes are there', () => calls.splice(source(), pipe.input, 100) === BYTES.length);
    const bytes = Buffer.alloc(100);
    expect(calls.read(pipe.output, bytes)).to.equal(BYTES.length);
    expect(bytes.subarray(0, BYTES.length).equals(BYTES)).to.equal(true);
    expect(calls.read(pipe.output, bytes)).to.equal(-ERRNO.EAGAIN);
  });

  for (const kind of ['TCP', 'Unix'] as const) {
    it(`know how much a ${kind} socket takes before it is full`, async () => {
      const pair = await socketPair(kind === 'Unix' ? scratch.path('room') : undefined);
      pair.client.pause();
      const fd = fdOf(handleOf(pair.accepted));
      const before = calls.room(fd);
      expect(before).to.be.greaterThan(10_000);
      pair.accepted.write(Buffer.alloc(64 << 20));
      expect(calls.room(fd)).to.be.lessThan(before / 2);
      pair.close();
    });
  }

  it('tell a descriptor that is closed', () => {
    expect(calls.splice(-1, pipe.input, 10)).to.equal(-ERRNO.EBADF);
    expect(calls.read(-1, Buffer.alloc(1))).to.equal(-ERRNO.EBADF);
    expect([calls.unread(-1), calls.room(-1), calls.isStreamSocket(-1)]).to.deep.equal([0, 0, false]);
    expect(calls.isStreamSocket(source())).to.equal(true);
    expect(calls.isStreamSocket(pipe.input)).to.equal(false);
  });
});
