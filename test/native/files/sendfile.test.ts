import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { sendCalls } from '../../../src/native/files/sendfile.js';
import { loadLibc } from '../../../src/native/libc.js';
import type { FileCalls } from '../../../src/native/platform.js';
import { content, digest } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf, received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { isCloseOnExec, positionOf } from '../../support/test-run/descriptors.js';

/** Unsent bytes of a TCP socket: SIOCOUTQNSD of linux/sockios.h. */
function unsent(fd: number): number {
  const ioctl = loadLibc().bind<(fd: number, request: number, out: Int32Array) => number>(
    'int ioctl(int fd, unsigned long request, void *out)',
  );
  const out = new Int32Array(1);
  if (ioctl(fd, 0x894b, out) !== 0) throw new Error('ioctl failed');
  return out[0] ?? Number.NaN;
}

describe('calls that send', () => {
  const scratch = useScratch();
  const bytes = content(300_000);
  let files: FileCalls;
  let pair: SocketPair;
  let socket: number;
  let file: number;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    files = linux().files!;
  });

  beforeEach(async () => {
    pair = await socketPair();
    socket = handleOf(pair.accepted).fd!;
    file = openSync(scratch.file('file', bytes), 'r+');
  });

  afterEach(() => {
    closeSync(file);
    pair.close();
  });

  it('send a file’s bytes from a position, and keep the descriptor’s own position', async () => {
    readSync(file, Buffer.alloc(5), 0, 5, null);
    expect(positionOf(file)).to.equal(5);
    expect(files.sendfile(socket, file, 1000, 20_000)).to.equal(20_000);
    expect(positionOf(file)).to.equal(5);
    pair.accepted.end();
    expect(digest(await received(pair.client))).to.equal(digest(bytes.subarray(1000, 21_000)));
  });

  it('send from a position above 4 GiB', async () => {
    const position = 2 ** 32 + 4097;
    ftruncateSync(file, position + 50_000);
    writeSync(file, bytes, 0, 50_000, position);
    expect(fstatSync(file).size).to.equal(position + 50_000);
    expect(files.sendfile(socket, file, position, 50_000)).to.equal(50_000);
    pair.accepted.end();
    expect(digest(await received(pair.client))).to.equal(digest(bytes.subarray(0, 50_000)));
  });

  it('send the rest of a file, and return 0 at its end', () => {
    expect(files.sendfile(socket, file, bytes.length - 7, 1000)).to.equal(7);
    expect(files.sendfile(socket, file, bytes.length, 1000)).to.equal(0);
    expect(files.sendfile(socket, file, bytes.length + 12_345, 1000)).to.equal(0);
  });

  it('return EAGAIN without a wait when the socket is full', async () => {
    pair.client.pause();
    let sent = 0;
    let result = 0;
    for (let calls = 0; calls < 1000 && result >= 0; calls++) {
      result = files.sendfile(socket, file, 0, bytes.length);
      if (result > 0) sent += result;
    }
    expect(result).to.equal(-os.errno.EAGAIN);
    expect(sent).to.be.greaterThan(0);
    expect(files.send(socket, Buffer.from('more'), true)).to.equal(-os.errno.EAGAIN);
  });

  it('return the errno of a failed call, negated', async () => {
    expect(files.sendfile(socket, -1, 0, 10)).to.equal(-os.errno.EBADF);
    expect(files.sendfile(-1, file, 0, 10)).to.equal(-os.errno.EBADF);
    expect(files.send(-1, Buffer.from('x'), true)).to.equal(-os.errno.EBADF);
    expect(files.send(file, Buffer.from('x'), true)).to.equal(-os.errno.ENOTSOCK);
    pair.accepted.end();
    pair.client.resume();
    await new Promise((resolve) => pair.accepted.once('finish', resolve));
    expect(files.send(socket, Buffer.from('x'), true)).to.equal(-os.errno.EPIPE);
  });

  it('hold back bytes that are sent with the promise of more, until more has come', async () => {
    const header = Buffer.from('header');
    expect(unsent(socket)).to.equal(0);
    expect(files.send(socket, header, true)).to.equal(6);
    expect(unsent(socket)).to.equal(6);
    expect(files.sendfile(socket, file, 0, 100)).to.equal(100);
    expect(unsent(socket)).to.equal(0);
    pair.accepted.end();
    expect(digest(await received(pair.client))).to.equal(digest(header, bytes.subarray(0, 100)));
  });

  it('send a part of a buffer that is a view of a larger one', async () => {
    expect(files.send(socket, bytes.subarray(10, 20), true)).to.equal(10);
    pair.accepted.end();
    expect(digest(await received(pair.client))).to.equal(digest(bytes.subarray(10, 20)));
  });
});

describe('calls on descriptors', () => {
  const scratch = useScratch();
  let files: FileCalls;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    files = linux().files!;
  });

  it('duplicate one: for the same open file, and not inherited by child processes', () => {
    const { bind } = loadLibc();
    const original = openSync(scratch.file('file', 'content'), 'r');
    // Child processes would inherit a descriptor of dup(2) alone. They inherit none of Node's own.
    const inherited = bind<(fd: number) => number>('int dup(int fd)')(original);
    expect(isCloseOnExec(inherited)).to.equal(false);
    const duplicate = files.duplicate(original);
    expect(duplicate).to.be.greaterThan(2).and.not.equal(original);
    expect(isCloseOnExec(duplicate)).to.equal(true);
    expect(fstatSync(duplicate).ino).to.equal(fstatSync(original).ino);
    readSync(original, Buffer.alloc(3), 0, 3, null);
    expect(positionOf(duplicate)).to.equal(3);
    for (const fd of [original, inherited, duplicate]) expect(files.close(fd)).to.equal(0);
  });

  it('close one, and return EBADF for a closed one', () => {
    const fd = files.duplicate(1);
    expect(() => fstatSync(fd)).not.to.throw();
    expect(files.close(fd)).to.equal(0);
    expect(() => fstatSync(fd)).to.throw('EBADF');
    expect(files.close(fd)).to.equal(-os.errno.EBADF);
    expect(files.duplicate(fd)).to.equal(-os.errno.EBADF);
  });
});

describe('calls that a signal interrupts', () => {
  /** A C library whose functions fail with EINTR twice, then return their count of calls. */
  function interrupted(): {
    readonly calls: FileCalls | ReturnType<typeof sendCalls>;
    readonly count: Map<string, number>;
  } {
    const count = new Map<string, number>();
    const bind = <F>(prototype: string): F => {
      const name = /(\w+)\(/.exec(prototype)?.[1] ?? '';
      const call = (): number => {
        const calls = (count.get(name) ?? 0) + 1;
        count.set(name, calls);
        return calls < 3 ? -1 : calls;
      };
      return call as F;
    };
    return { calls: sendCalls({ bind, errno: () => os.errno.EINTR, address: () => 0n }), count };
  }

  it('are repeated', () => {
    const { calls } = interrupted();
    expect(calls.sendfile(1, 2, 0, 10)).to.equal(3);
    expect(calls.send(1, new Uint8Array(1), true)).to.equal(3);
    expect(calls.duplicate(1)).to.equal(3);
  });

  it('are repeated from the same position', () => {
    const positions: bigint[] = [];
    const bind = <F>(prototype: string): F => {
      const call = (_socket: number, _file: number, position: BigInt64Array): number => {
        positions.push(position[0] ?? -1n);
        // The kernel may have moved the offset before the signal.
        position[0] = 999n;
        return positions.length < 3 ? -1 : 10;
      };
      return (prototype.includes('sendfile') ? call : () => 0) as F;
    };
    const calls = sendCalls({ bind, errno: () => os.errno.EINTR, address: () => 0n });
    expect(calls.sendfile(1, 2, 77, 10)).to.equal(10);
    expect(positions).to.deep.equal([77n, 77n, 77n]);
  });

  it('are not repeated for close(2): the descriptor may be another file’s by then', () => {
    const { calls, count } = interrupted();
    expect(calls.close(1)).to.equal(-os.errno.EINTR);
    expect(count.get('close')).to.equal(1);
  });
});
