import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { expect } from 'chai';
import { closeThreadPipe, type ThreadPipe, threadPipe } from '../../../src/hooks/splice/kernel-pipe.js';
import { ERRNO } from '../../../src/native/errno.js';
import type { KernelPipe, SpliceCalls } from '../../../src/native/platform.js';
import { fdOf } from '../../../src/native/sockets/handle-fd.js';
import type { SocketHandle } from '../../../src/node/net.js';
import { useScratch } from '../../support/files/scratch.js';
import { realSplicing } from '../../support/sockets/piped-pair.js';
import { handleOf, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';
import { until } from '../../support/until.js';

function opened(calls: SpliceCalls, like: SocketHandle): ThreadPipe {
  const pipe = threadPipe(calls, like);
  if (typeof pipe === 'number') throw new Error(`errno ${-pipe}`);
  return pipe;
}

describe('the kernel pipe of a thread', () => {
  const scratch = useScratch();
  let pair: SocketPair;
  let made: KernelPipe[] = [];

  /** The kernel's calls, with a list of the pipes that they have opened. */
  function watched(overrides: Partial<SpliceCalls> = {}): SpliceCalls {
    const calls = realSplicing();
    return {
      ...calls,
      openPipe(size) {
        const pipe = calls.openPipe(size);
        if (typeof pipe !== 'number') made.push(pipe);
        return pipe;
      },
      ...overrides,
    };
  }

  /** Whether both ends of a pipe are closed. Splicing from an end that is open would block or answer EAGAIN. */
  const isClosed = ({ output, input }: KernelPipe): boolean =>
    realSplicing().read(output, Buffer.alloc(1)) === -ERRNO.EBADF &&
    realSplicing().splice(output, input, 1) === -ERRNO.EBADF;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    made = [];
    pair = await socketPair();
  });

  afterEach(() => {
    pair.close();
    closeThreadPipe();
  });

  it('is one for all, and closed when it is not needed any more', () => {
    const calls = watched();
    const first = opened(calls, handleOf(pair.accepted));
    expect(opened(calls, handleOf(pair.client))).to.equal(first);
    expect(made).to.have.length(1);
    expect(made.map(isClosed)).to.deep.equal([false]);
    closeThreadPipe();
    expect(made.map(isClosed)).to.deep.equal([true]);
  });

  it('is closed once nobody has used it for a while', async () => {
    opened(watched(), handleOf(pair.accepted));
    await until('the pipe is closed', () => made.every(isClosed));
    expect(made).to.have.length(1);
  });

  it('has ends that keep no process alive, and show nowhere', () => {
    const before = process.getActiveResourcesInfo();
    opened(watched(), handleOf(pair.accepted));
    expect(process.getActiveResourcesInfo()).to.deep.equal(before);
  });

  it('may be owned by handles of Unix sockets', async () => {
    const unix = await socketPair(scratch.path('socket'));
    opened(watched(), handleOf(unix.accepted));
    closeThreadPipe();
    expect(made.map(isClosed)).to.deep.equal([true]);
    unix.close();
  });

  it('is another one after a turn that has left bytes in it', async () => {
    const calls = watched();
    const first = opened(calls, handleOf(pair.accepted));
    pair.client.write('of one connection');
    await until('the bytes are there', () => first.fill(fdOf(handleOf(pair.accepted)), 100) > 0);
    expect(first.held).to.equal(17);
    // The numbers of its descriptors are soon another one's.
    const name = readlinkSync(`/proc/self/fd/${made[0]?.input}`);
    expect(descriptorsOf(name)).to.have.length(2);
    const second = opened(calls, handleOf(pair.accepted));
    expect(second).not.to.equal(first);
    expect(second.held).to.equal(0);
    expect(descriptorsOf(name)).to.deep.equal([]);
  });

  it('empties into a socket, or into a buffer', async () => {
    const pipe = opened(watched(), handleOf(pair.accepted));
    const fd = fdOf(handleOf(pair.accepted));
    pair.client.write('one');
    await until('the bytes are there', () => pipe.fill(fd, 100) > 0);
    expect(pipe.empty(fd)).to.equal(0);
    expect(pipe.held).to.equal(0);
    const [echoed] = await once(pair.client, 'data');
    expect(String(echoed)).to.equal('one');
    pair.client.write('two');
    await until('the bytes are there', () => pipe.fill(fd, 100) > 0);
    expect(String(pipe.takeOut())).to.equal('two');
    expect(pipe.held).to.equal(0);
  });

  it('says so where what is in it cannot be read', async () => {
    const pipe = opened(watched({ read: () => -ERRNO.EIO }), handleOf(pair.accepted));
    pair.client.write('lost');
    await until('the bytes are there', () => pipe.fill(fdOf(handleOf(pair.accepted)), 100) > 0);
    expect(pipe.takeOut()).to.equal(undefined);
    expect(pipe.held).to.equal(4);
  });

  it('is not there where the system gives none, or no handle takes its ends', () => {
    const handle = handleOf(pair.accepted);
    expect(threadPipe(watched({ openPipe: () => -ERRNO.EMFILE }), handle)).to.equal(-ERRNO.EMFILE);
    class Unable {
      open(): number {
        return -ERRNO.EINVAL;
      }
      close(): void {
        // It has nothing to close.
      }
    }
    expect(threadPipe(watched(), new Unable() as SocketHandle)).to.equal(-ERRNO.EOPNOTSUPP);
    expect(made.map(isClosed)).to.deep.equal([true]);
  });
});
