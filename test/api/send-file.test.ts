import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs, { closeSync, createReadStream, fstatSync, ftruncateSync, openSync, readFileSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type FileToSend, sendFileAll, sendFileRange } from '../../src/api/send-file.js';
import { SocketTuneError } from '../../src/errors.js';
import { endRegionsOf, liveRegions } from '../../src/hooks/files/region.js';
import { installSocketWrite } from '../../src/hooks/files/socket-write.js';
import { counters } from '../../src/report/counters.js';
import { content, digest } from '../support/files/content.js';
import { realFiles } from '../support/files/fake-files.js';
import { useScratch } from '../support/files/scratch.js';
import { securePair } from '../support/sockets/secure-pair.js';
import { received, type SocketPair, socketPair } from '../support/sockets/socket-pair.js';
import { descriptorsLeftOf, descriptorsOf, positionOf } from '../support/test-run/descriptors.js';
import { install } from '../support/test-run/installed.js';
import { differences, type Snapshot, snapshot } from '../support/test-run/node-prototypes.js';
import { turns } from '../support/turns.js';
import { until } from '../support/until.js';

/** Longer than one window. */
const SIZE = 3_000_000;
/** More than the socket buffers hold while the peer does not read. */
const LARGE = 24 << 20;

/** The errors of a write that was under way, of one that was waiting, and of a later one. */
const OF_A_DESTROYED_SOCKET = ['ECANCELED', 'ERR_STREAM_DESTROYED', 'ERR_SOCKET_TUNE_SOCKET_CLOSED'];

describe('sending a file', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  const pairs: SocketPair[] = [];
  const opened = new Map<number, string>();
  let path: string;
  let nodes: Snapshot;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(() => {
    nodes = snapshot();
  });

  afterEach(async () => {
    for (const pair of pairs.splice(0)) pair.close();
    for (const [fd, name] of opened) if (descriptorsOf(name).includes(fd)) closeSync(fd);
    opened.clear();
    // Sending regions replaces Node's write methods for good. Other tests need Node's own.
    installSocketWrite(realFiles)?.();
    expect(liveRegions()).to.equal(0);
    expect(await descriptorsLeftOf(path)).to.deep.equal([]);
    expect(differences(nodes, snapshot())).to.deep.equal([]);
  });

  /** A descriptor that is closed after the test, unless the test does it. */
  function descriptor(name: string): number {
    const fd = openSync(name, 'r');
    opened.set(fd, name);
    return fd;
  }

  async function connect(make: () => Promise<SocketPair> = socketPair): Promise<SocketPair> {
    const pair = await make();
    pairs.push(pair);
    return pair;
  }

  /** Send, end the socket, and return the promised length and the bytes that arrived. */
  async function sent(act: (socket: Socket) => Promise<number>, make?: () => Promise<SocketPair>) {
    const { accepted, client } = await connect(make);
    const body = received(client);
    const before = counters.sendfileBytes;
    const written = await act(accepted);
    accepted.end();
    return { written, body: digest(await body), bySendfile: counters.sendfileBytes - before };
  }

  async function failure(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
    const error = await promise.then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof Error)) throw new Error('it failed with something that is no error');
    return error;
  }

  describe('that is given as', () => {
    const ways: Readonly<Record<string, () => FileToSend>> = {
      'a path': () => path,
      'a path in a Buffer': () => Buffer.from(path),
      'a URL': () => pathToFileURL(path),
    };

    for (const [way, file] of Object.entries(ways)) {
      it(`${way} writes all of it by sendfile, and closes it`, async () => {
        const { written, body, bySendfile } = await sent((socket) => sendFileAll(socket, file()));
        expect(written).to.equal(SIZE);
        expect(body).to.equal(digest(bytes));
        expect(bySendfile).to.be.greaterThan(SIZE / 2);
        expect(await descriptorsLeftOf(path)).to.deep.equal([]);
      });
    }

    it('a descriptor leaves it open, with its position where it was', async () => {
      const fd = descriptor(path);
      readSync(fd, Buffer.alloc(7), 0, 7, null);
      const { written, body } = await sent((socket) => sendFileAll(socket, fd));
      expect(written).to.equal(SIZE);
      expect(body).to.equal(digest(bytes));
      expect(positionOf(fd)).to.equal(7);
      expect(descriptorsOf(path)).to.deep.equal([fd]);
    });

    it('a FileHandle leaves it open, with its position where it was', async () => {
      const handle = await open(path);
      await handle.read(Buffer.alloc(7), 0, 7, null);
      const { written, body } = await sent((socket) => sendFileRange(socket, handle, 5, 1000));
      expect(written).to.equal(1000);
      expect(body).to.equal(digest(bytes.subarray(5, 1005)));
      expect(positionOf(handle.fd)).to.equal(7);
      await handle.close();
    });
  });

  describe('in part', () => {
    const ranges: readonly [offset: number, length: number, expected: readonly [number, number]][] = [
      [0, 1, [0, 1]],
      [12_345, 1_000_001, [12_345, 1_012_346]],
      [SIZE - 1, 1, [SIZE - 1, SIZE]],
      [0, SIZE + 1, [0, SIZE]],
      [SIZE - 10, 1000, [SIZE - 10, SIZE]],
      [1, Number.MAX_SAFE_INTEGER, [1, SIZE]],
      [SIZE, 10, [SIZE, SIZE]],
      [SIZE * 2, 10, [SIZE, SIZE]],
      [Number.MAX_SAFE_INTEGER, 10, [SIZE, SIZE]],
      [5, 0, [0, 0]],
    ];

    for (const [offset, length, [start, end]] of ranges) {
      it(`from ${offset}, ${length} bytes at most: writes ${end - start}, on any kind of socket`, async () => {
        for (const make of [socketPair, () => socketPair(scratch.path('unix')), securePair]) {
          const { truncatedFiles } = counters;
          const { written, body } = await sent((socket) => sendFileRange(socket, path, offset, length), make);
          expect(written).to.equal(end - start);
          expect(body).to.equal(digest(bytes.subarray(start, end)));
          expect(counters.truncatedFiles).to.equal(truncatedFiles);
        }
      });
    }
  });

  it('from beyond 4 GiB', async () => {
    const name = scratch.file('sparse', '');
    const position = 2 ** 32 + 4097;
    const fd = openSync(name, 'r+');
    ftruncateSync(fd, position + 1000);
    fs.writeSync(fd, bytes, 0, 1000, position);
    closeSync(fd);
    const { written, body } = await sent((socket) => sendFileRange(socket, name, position - 5, 5000));
    expect(written).to.equal(1005);
    expect(body).to.equal(digest(Buffer.alloc(5), bytes.subarray(0, 1000)));
  });

  it('goes by sendfile over a Unix socket', async () => {
    const { written, body, bySendfile } = await sent(
      (socket) => sendFileAll(socket, path),
      () => socketPair(scratch.path('unix')),
    );
    expect(written).to.equal(SIZE);
    expect(body).to.equal(digest(bytes));
    expect(bySendfile).to.be.greaterThan(SIZE / 2);
  });

  it('reads and writes over TLS', async () => {
    const { written, body, bySendfile } = await sent((socket) => sendFileAll(socket, path), securePair);
    expect(written).to.equal(SIZE);
    expect(body).to.equal(digest(bytes));
    expect(bySendfile).to.equal(0);
  });

  it('reads and writes a file without a size', async () => {
    const { written, body, bySendfile } = await sent((socket) => sendFileAll(socket, '/proc/version'));
    const expected = readFileSync('/proc/version');
    expect(written).to.equal(expected.length);
    expect(body).to.equal(digest(expected));
    expect(bySendfile).to.equal(0);
  });

  it('reads and writes a FIFO to its end', async () => {
    const fifo = scratch.path('fifo');
    execFileSync('mkfifo', [fifo]);
    const bytesOfFifo = randomBytes(200_000);
    const writing = fs.promises.writeFile(fifo, bytesOfFifo);
    const { written, body } = await sent((socket) => sendFileAll(socket, fifo));
    await writing;
    expect(written).to.equal(bytesOfFifo.length);
    expect(body).to.equal(digest(bytesOfFifo));
  });

  it('writes nothing for an empty file', async () => {
    const { written, body } = await sent((socket) => sendFileAll(socket, scratch.file('empty', '')));
    expect(written).to.equal(0);
    expect(body).to.equal(digest(''));
  });

  it('keeps its place among other writes', async () => {
    const { accepted, client } = await connect();
    const body = received(client);
    accepted.write('before');
    await sendFileAll(accepted, path);
    accepted.write('between');
    await sendFileRange(accepted, path, 10, 10);
    accepted.end('after');
    expect(digest(await body)).to.equal(digest('before', bytes, 'between', bytes.subarray(10, 20), 'after'));
  });

  it('is not interrupted by later writes', async () => {
    for (const make of [socketPair, securePair]) {
      const { accepted, client } = await connect(make);
      const body = received(client);
      const fd = descriptor(path);
      const first = sendFileAll(accepted, fd);
      const second = sendFileAll(accepted, fd);
      await Promise.all([first, second]);
      accepted.end();
      expect(digest(await body)).to.equal(digest(bytes, bytes));
    }
  });

  it('waits for the peer, and resolves once the kernel has all of it', async () => {
    const name = scratch.file('large', content(LARGE, 5));
    const { accepted, client } = await connect();
    client.pause();
    let written: number | undefined;
    const sending = sendFileAll(accepted, name).then((count) => {
      written = count;
    });
    await until('some of it is sent', () => accepted.bytesWritten > 0);
    await turns();
    expect(written).to.equal(undefined);
    expect(accepted.bytesWritten).to.be.lessThan(LARGE);
    const body = received(client);
    await sending;
    expect(written).to.equal(LARGE);
    expect(accepted.bytesWritten).to.equal(LARGE);
    accepted.end();
    expect(digest(await body)).to.equal(digest(content(LARGE, 5)));
  });

  it('counts in writableLength as one chunk of a stream', async () => {
    const name = scratch.file('large', content(LARGE, 5));
    const { accepted, client } = await connect();
    client.pause();
    expect(accepted.writableLength).to.equal(0);
    const sending = sendFileAll(accepted, descriptor(name));
    expect(accepted.writableLength).to.be.within(1, 64 << 10);
    client.resume();
    await sending;
    expect(accepted.writableLength).to.equal(0);
  });

  it('goes on after the owner closes the descriptor', async () => {
    const name = scratch.file('large', content(LARGE, 5));
    const { accepted, client } = await connect();
    client.pause();
    const fd = descriptor(name);
    const sending = sendFileAll(accepted, fd);
    closeSync(fd);
    const other = descriptor(path);
    expect(other).to.equal(fd);
    const body = received(client);
    expect(await sending).to.equal(LARGE);
    accepted.end();
    expect(digest(await body)).to.equal(digest(content(LARGE, 5)));
    expect(await descriptorsLeftOf(name)).to.deep.equal([]);
  });

  it('ends early if the file becomes shorter', async () => {
    const name = scratch.file('shrinking', content(LARGE, 5));
    const { accepted, client } = await connect();
    client.pause();
    const sending = sendFileAll(accepted, name);
    await until('some of it is sent', () => accepted.bytesWritten > 0);
    const fd = openSync(name, 'r+');
    const left = 20_000_000;
    ftruncateSync(fd, left);
    closeSync(fd);
    const body = received(client);
    expect(await sending).to.equal(left);
    accepted.end();
    expect(digest(await body)).to.equal(digest(content(LARGE, 5).subarray(0, left)));
  });

  it('does not keep a later install() from rerouting streams', async () => {
    await sent((socket) => sendFileAll(socket, path));
    const uninstall = install({});
    try {
      const { accepted, client } = await connect();
      const body = received(client);
      const before = counters.reroutedStreams;
      createReadStream(path).pipe(accepted);
      expect(digest(await body)).to.equal(digest(bytes));
      expect(counters.reroutedStreams).to.equal(before + 1);
    } finally {
      uninstall();
    }
  });

  it('works while socket-tune is installed, and after', async () => {
    const uninstall = install({});
    expect((await sent((socket) => sendFileAll(socket, path))).bySendfile).to.be.greaterThan(0);
    uninstall();
    const { body, bySendfile } = await sent((socket) => sendFileAll(socket, path));
    expect(bySendfile).to.be.greaterThan(0);
    expect(body).to.equal(digest(bytes));
  });

  it('goes on with the bytes of the file after uninstall', async () => {
    const name = scratch.file('large', content(LARGE, 5));
    const uninstall = install({});
    const { accepted, client } = await connect();
    client.pause();
    const sending = sendFileAll(accepted, name);
    await until('some of it is sent', () => accepted.bytesWritten > 0);
    expect(accepted.bytesWritten).to.be.lessThan(LARGE);
    uninstall();
    const body = received(client);
    try {
      expect(await sending).to.equal(LARGE);
      accepted.end();
      expect(digest(await body)).to.equal(digest(content(LARGE, 5)));
    } finally {
      // A region that Node's own code sent as a Buffer does not end by itself.
      endRegionsOf(accepted);
    }
  });

  describe('fails', () => {
    it('on a socket that is closed, or whose writable side has ended', async () => {
      const { accepted, client } = await connect();
      accepted.end();
      client.destroy();
      for (const socket of [accepted, client]) {
        const error = await failure(sendFileAll(socket, path));
        expect(error).to.be.instanceOf(SocketTuneError);
        expect(error).to.include({
          code: 'ERR_SOCKET_TUNE_SOCKET_CLOSED',
          message: 'the socket is closed, or its writing side is',
        });
      }
    });

    for (const [kind, make] of [
      ['plain', socketPair],
      ['TLS', securePair],
    ] as const) {
      it(`when the socket is destroyed under it, and leaves the caller’s descriptor open (${kind})`, async () => {
        const { accepted, client } = await connect(make);
        client.pause();
        const name = scratch.file('large', content(LARGE, 5));
        const fd = descriptor(name);
        accepted.on('error', () => undefined);
        const failing = failure(sendFileAll(accepted, fd));
        await until('some of it is sent', () => accepted.bytesWritten > 0);
        accepted.destroy();
        const error = await failing;
        expect(error.code).to.be.oneOf(OF_A_DESTROYED_SOCKET);
        await turns();
        expect(descriptorsOf(name)).to.deep.equal([fd]);
      });

      it(`when the socket is destroyed under it, with the socket’s error, and closes what it has opened (${kind})`, async () => {
        const { accepted, client } = await connect(make);
        client.pause();
        const name = scratch.file('large', content(LARGE, 5));
        accepted.on('error', () => undefined);
        const failing = failure(sendFileAll(accepted, name));
        await until('some of it is sent', () => accepted.bytesWritten > 0);
        accepted.destroy();
        const error = await failing;
        expect(error.code).to.be.oneOf(OF_A_DESTROYED_SOCKET);
        expect(await descriptorsLeftOf(name)).to.deep.equal([]);
      });
    }

    it('on a file that does not exist, and on a directory', async () => {
      const { accepted } = await connect();
      const missing = await failure(sendFileAll(accepted, scratch.path('nothing')));
      expect(missing).to.include({ code: 'ENOENT', syscall: 'open' });
      const directory = await failure(sendFileAll(accepted, scratch.path('.')));
      expect(directory).to.include({ code: 'EISDIR', syscall: 'read' });
      expect(accepted.destroyed).to.equal(false);
    });

    it('on a descriptor that cannot be read, or is not open', async () => {
      const { accepted } = await connect();
      const fd = openSync(path, fs.constants.O_WRONLY);
      const unreadable = await failure(sendFileAll(accepted, fd));
      closeSync(fd);
      expect(unreadable).to.include({ code: 'EBADF', syscall: 'read' });
      expect(() => fstatSync(fd)).to.throw('EBADF');
      const closed = await failure(sendFileAll(accepted, fd));
      expect(closed).to.include({ code: 'EBADF' });
    });

    const BAD: readonly [string, unknown[], string][] = [
      ['no socket', [{}, 'x', 0, 1], 'socket must be a net.Socket, not an instance of Object'],
      ['a server', [createServer(), 'x', 0, 1], 'socket must be a net.Socket, not an instance of Server'],
      ['a negative offset', ['socket', 'x', -1, 1], 'offset must be a whole number from 0, not a number (-1)'],
      ['a broken offset', ['socket', 'x', 1.5, 1], 'offset must be a whole number from 0, not a number (1.5)'],
      ['no length', ['socket', 'x', 0], 'length must be a whole number from 0, not undefined'],
      ['a bigint', ['socket', 'x', 0, 5n], 'length must be a whole number from 0, not a bigint (5)'],
      [
        'an endless length',
        ['socket', 'x', 0, Number.POSITIVE_INFINITY],
        'length must be a whole number from 0, not a number (Infinity)',
      ],
      ['a negative descriptor', ['socket', -1, 0, 1], 'file must be a whole number from 0, not a number (-1)'],
      ['no file', ['socket', undefined, 0, 1], 'file must be a path, a FileHandle or a file descriptor, not undefined'],
      [
        'an object',
        ['socket', {}, 0, 1],
        'file must be a path, a FileHandle or a file descriptor, not an instance of Object',
      ],
    ];

    for (const [what, [socket, ...args], message] of BAD) {
      it(`on ${what}, by a rejection with code and message`, async () => {
        const { accepted } = await connect();
        const target = socket === 'socket' ? accepted : socket;
        const error = await failure(Reflect.apply(sendFileRange, undefined, [target, ...args]));
        expect(error).to.be.instanceOf(SocketTuneError);
        expect(error).to.include({ code: 'ERR_SOCKET_TUNE_INVALID_ARG', message });
      });
    }
  });

  it('works again after one that failed', async () => {
    const { accepted, client } = await connect();
    const body = received(client);
    await failure(sendFileAll(accepted, scratch.path('nothing')));
    expect(await sendFileRange(accepted, path, 0, 10)).to.equal(10);
    accepted.end();
    await once(accepted, 'finish');
    expect(digest(await body)).to.equal(digest(bytes.subarray(0, 10)));
  });
});
