import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs, { openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { ServerResponse } from 'node:http';
import { createServer, Server, Socket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { expect } from 'chai';
import {
  type Destination,
  destinationSocket,
  type EligibilityContext,
  hasBuffered,
  isFlowing,
  type Reason,
  whyNotNow,
  whyNotSource,
} from '../../../src/hooks/files/eligibility.js';
import { asNetSocket } from '../../../src/node/net.js';
import type { FileReadStream } from '../../../src/node/streams.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { type HeldResponses, holdResponses } from '../../support/sockets/held-response.js';
import { securePair } from '../../support/sockets/secure-pair.js';
import { type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';

const context: EligibilityContext = {
  sendsRegions: (writeGeneric) => writeGeneric === Reflect.get(Socket.prototype, '_writeGeneric'),
  isStreamSocket: (fd) => realFiles().isStreamSocket(fd),
};

/** Put a wrapper around a method, as an APM agent would, and take it away again. */
function wrapped<T>(object: object, name: string, act: () => T): T {
  const own = Object.getOwnPropertyDescriptor(object, name);
  const original: unknown = Reflect.get(object, name);
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return typeof original === 'function' ? Reflect.apply(original, this, args) : undefined;
  };
  Object.defineProperty(object, name, { configurable: true, writable: true, value: wrapper });
  try {
    return act();
  } finally {
    if (own === undefined) Reflect.deleteProperty(object, name);
    else Object.defineProperty(object, name, own);
  }
}

describe('a destination', () => {
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  function why(destination: unknown): Destination {
    return destinationSocket(context, destination);
  }

  it('that is no socket and no response has none', () => {
    for (const value of [undefined, null, 1, 'x', {}, () => 1, new Writable(), new PassThrough(), new Server()]) {
      expect(why(value), String(value)).to.equal('not-a-socket' satisfies Reason);
    }
  });

  describe('that is a socket', () => {
    let pair: SocketPair;
    let socket: SocketPair['accepted'];

    beforeEach(async () => {
      pair = await socketPair();
      socket = pair.accepted;
      expect(why(socket)).to.equal(socket);
    });

    afterEach(() => pair.close());

    it('takes regions, on whichever end of TCP or a Unix socket', async () => {
      const unix = await socketPair(scratch.path('unix'));
      for (const end of [socket, pair.client, unix.accepted, unix.client]) expect(why(end)).to.equal(end);
      unix.close();
    });

    it('takes none where it encrypts', async () => {
      const secure = await securePair();
      expect(why(secure.accepted)).to.equal('tls-or-wrapped-socket' satisfies Reason);
      expect(why(secure.client)).to.equal('tls-or-wrapped-socket');
      secure.close();
    });

    it('takes none where its class, or its prototype, is somebody else’s', () => {
      class OwnSocket extends Socket {}
      expect(why(new OwnSocket())).to.equal('tls-or-wrapped-socket' satisfies Reason);
      expect(why(Object.create(socket))).to.equal('tls-or-wrapped-socket');
    });

    it('takes none where it is standard output', () => {
      Reflect.set(socket, '_isStdio', true);
      expect(why(socket)).to.equal('stdio' satisfies Reason);
    });

    for (const method of ['write', '_write', '_writev', '_writeGeneric', 'cork', 'uncork']) {
      it(`takes none where its own ${method}, or that of all, is wrapped`, () => {
        expect(wrapped(socket, method, () => why(socket))).to.equal('patched-socket' satisfies Reason);
        if (method === '_writeGeneric') return;
        expect(wrapped(Socket.prototype, method, () => why(socket))).to.equal('patched-socket');
        expect(why(socket)).to.equal(socket);
      });
    }

    it('takes none where its writes do not understand regions', () => {
      expect(destinationSocket({ ...context, sendsRegions: () => false }, socket)).to.equal(
        'patched-socket' satisfies Reason,
      );
    });

    it('takes none once it has been ended or destroyed', () => {
      socket.end();
      expect(why(socket)).to.equal('destination-ended' satisfies Reason);
      pair.client.destroy();
      expect(why(pair.client)).to.equal('destination-ended');
    });

    it('takes none before it is connected', async () => {
      const server = createServer((other) => other.destroy()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const connecting = new Socket();
      expect(why(connecting)).to.equal('destination-not-ready' satisfies Reason);
      connecting.connect(Reflect.get(server.address() ?? {}, 'port'), '127.0.0.1');
      expect(why(connecting)).to.equal('destination-not-ready');
      await once(connecting, 'connect');
      expect(why(connecting)).to.equal(connecting);
      connecting.destroy();
      server.close();
    });

    it('takes none where there is a FIFO behind it', () => {
      execFileSync('mkfifo', [scratch.path('fifo')]);
      const fd = openSync(scratch.path('fifo'), fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      const fifo = asNetSocket(new Socket({ fd }));
      expect(fifo._handle?.fd).to.equal(fd);
      expect(why(fifo)).to.equal('not-a-socket' satisfies Reason);
      fifo.destroy();
    });

    it('is asked whether it is a stream once where it might be a FIFO, and never where it is TCP', async () => {
      const asked: number[] = [];
      const counting: EligibilityContext = {
        ...context,
        isStreamSocket: (fd) => {
          asked.push(fd);
          return true;
        },
      };
      const unix = await socketPair(scratch.path('asked'));
      for (const end of [unix.accepted, unix.accepted, pair.client, pair.client]) {
        expect(destinationSocket(counting, end)).to.equal(end);
      }
      expect(asked).to.deep.equal([unix.accepted._handle?.fd]);
      unix.close();
    });
  });

  describe('that is a response', () => {
    let held: HeldResponses;

    afterEach(() => held.close());

    async function respond(...methods: string[]): Promise<ServerResponse> {
      held = await holdResponses(...methods);
      return held.responses[0]!;
    }

    it('takes regions on its socket', async () => {
      const response = await respond('GET');
      expect(why(response)).to.equal(response.socket);
      response.writeHead(200, { 'Content-Length': 5 });
      expect(why(response)).to.equal(response.socket);
      response.flushHeaders();
      expect(why(response)).to.equal(response.socket);
    });

    it('takes regions where a framework has put its own prototype in between', async () => {
      const response = await respond('GET');
      Object.setPrototypeOf(response, Object.create(ServerResponse.prototype, { json: { value: () => 1 } }));
      expect(why(response)).to.equal(response.socket);
    });

    for (const method of ['write', '_send', '_writeRaw', '_flushOutput']) {
      it(`takes none where its ${method} is wrapped`, async () => {
        const response = await respond('GET');
        expect(why(response)).to.equal(response.socket);
        expect(wrapped(response, method, () => why(response))).to.equal('patched-response' satisfies Reason);
        expect(wrapped(Object.getPrototypeOf(response), method, () => why(response))).to.equal('patched-response');
      });
    }

    it('takes none where its socket’s write is wrapped', async () => {
      const response = await respond('GET');
      expect(wrapped(response.socket!, 'write', () => why(response))).to.equal('patched-socket');
    });

    it('takes none where it has no body', async () => {
      expect(why(await respond('HEAD'))).to.equal('no-body' satisfies Reason);
      held.close();
      for (const status of [204, 304]) {
        const response = await respond('GET');
        response.writeHead(status);
        expect(why(response), String(status)).to.equal('no-body');
        held.close();
      }
    });

    it('takes none once it has been ended or destroyed', async () => {
      const ended = await respond('GET');
      ended.end('all');
      expect(why(ended)).to.equal('destination-ended' satisfies Reason);
      held.close();
      const destroyed = await respond('GET');
      destroyed.destroy();
      expect(why(destroyed)).to.equal('destination-ended');
    });

    it('takes none until its turn has come on a pipelined connection', async () => {
      const first = await respond('GET', 'GET');
      const second = held.responses[1]!;
      expect(why(second)).to.equal('destination-not-ready' satisfies Reason);
      first.end('first');
      await once(first, 'finish');
      await new Promise(setImmediate);
      expect(why(second)).to.equal(second.socket);
    });
  });
});

describe('a stream', () => {
  const scratch = useScratch();
  const opened: fs.ReadStream[] = [];
  let path: string;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', Buffer.alloc(100_000, 'x'));
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) {
      one.on('error', () => undefined).destroy();
      if (!one.closed) await new Promise<void>((resolve) => one.once('close', resolve));
    }
  });

  type Options = Parameters<typeof fs.createReadStream>[1];

  function stream(options: Options = {}, from = path): FileReadStream {
    const made = fs.createReadStream(from, options);
    opened.push(made);
    return made as FileReadStream;
  }

  it('is plain where it reads a path, or a part of one', () => {
    const plain: Options[] = [{}, { start: 5, end: 10 }, { flags: 'r' }, { highWaterMark: 5 }];
    for (const options of [...plain, { autoClose: false, start: 0 }]) {
      expect(whyNotSource(stream(options)), JSON.stringify(options)).to.equal(undefined);
    }
  });

  it('is plain where it reads a descriptor from a start', () => {
    expect(whyNotSource(stream({ fd: openSync(path, 'r'), start: 0 }))).to.equal(undefined);
    expect(whyNotSource(stream({ fd: openSync(path, 'r'), start: 10 }))).to.equal(undefined);
  });

  it('is not plain where it reads on from where a descriptor stands', () => {
    const made = stream({ fd: openSync(path, 'r') });
    expect(whyNotSource(made)).to.equal('descriptor-without-start' satisfies Reason);
    // It stays open, and others may read on.
    expect(whyNotSource(stream({ autoClose: false }))).to.equal('descriptor-without-start');
  });

  it('is not plain where it reads a FileHandle', async () => {
    const handle = await open(path);
    const made = handle.createReadStream({ autoClose: false }) as FileReadStream;
    expect(whyNotSource(made)).to.equal('file-handle' satisfies Reason);
    made.destroy();
    const ours = fs.createReadStream('', { fd: handle, autoClose: false }) as FileReadStream;
    expect(whyNotSource(ours)).to.equal('file-handle');
    ours.destroy();
    await once(ours, 'close');
    await handle.close();
  });

  it('is not plain where it brings its own file system', () => {
    const own = { open: fs.open, read: fs.read, close: fs.close };
    expect(whyNotSource(stream({ fs: own } as Options))).to.equal('patched-fs' satisfies Reason);
  });

  it('is not plain where it is opened for more than reading', () => {
    for (const flags of ['r+', 'a+', 'rs+']) {
      expect(whyNotSource(stream({ flags })), flags).to.equal('flags' satisfies Reason);
    }
    const numeric = { flags: fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW } as unknown as Options;
    expect(whyNotSource(stream(numeric))).to.equal('flags');
    expect(whyNotSource(stream({ flags: fs.constants.O_RDONLY } as unknown as Options))).to.equal(undefined);
  });

  it('is not plain where its class is somebody else’s', () => {
    class OwnStream extends fs.ReadStream {}
    const made = new OwnStream(path as never);
    opened.push(made);
    expect(whyNotSource(made as FileReadStream)).to.equal('patched-stream' satisfies Reason);
  });

  it('is not plain where it reads objects', () => {
    expect(whyNotSource(stream({ objectMode: true } as Options))).to.equal('encoding-or-object-mode' satisfies Reason);
  });

  describe('that is piped', () => {
    function piped(options: Options = {}): FileReadStream {
      const made = stream(options);
      made.pipe(new PassThrough());
      return made;
    }

    it('has nobody else see its data', () => {
      const made = piped();
      expect(whyNotNow(made)).to.equal(undefined);
    });

    it('flows, and does not while it is paused', () => {
      const made = piped();
      expect(isFlowing(made)).to.equal(true);
      made.pause();
      expect(isFlowing(made)).to.equal(false);
      expect(whyNotNow(made)).to.equal(undefined);
    });

    it('is not piped before it is, nor after it was, nor twice', () => {
      const made = stream();
      expect(whyNotNow(made)).to.equal('no-single-pipe' satisfies Reason);
      const first = made.pipe(new PassThrough());
      expect(whyNotNow(made)).to.equal(undefined);
      made.pipe(new PassThrough());
      expect(whyNotNow(made)).to.equal('no-single-pipe');
      made.unpipe(first);
      made.unpipe();
      expect(whyNotNow(made)).to.equal('no-single-pipe');
    });

    it('has an encoding, from the beginning or later', () => {
      expect(whyNotNow(piped({ encoding: 'utf8' }))).to.equal('encoding-or-object-mode' satisfies Reason);
      const made = piped();
      made.setEncoding('latin1');
      expect(whyNotNow(made)).to.equal('encoding-or-object-mode');
    });

    it('has another consumer: of its data, or told when there is some', () => {
      const data = piped();
      const onData = (): void => undefined;
      data.on('data', onData);
      expect(whyNotNow(data)).to.equal('other-consumer' satisfies Reason);
      data.off('data', onData);
      expect(whyNotNow(data)).to.equal(undefined);
      const readable = piped();
      readable.on('readable', () => undefined);
      expect(whyNotNow(readable)).to.equal('other-consumer');
    });

    it('has a listener that only looks like the one of the pipe', () => {
      const made = piped();
      made.removeAllListeners('data');
      made.on('data', function ondata() {
        return undefined;
      });
      expect(whyNotNow(made)).to.equal('other-consumer');
    });

    it('has bytes that were read already, only until they have gone', async () => {
      const made = stream();
      expect(hasBuffered(made)).to.equal(false);
      await once(made, 'readable');
      made.removeAllListeners('readable');
      expect(hasBuffered(made)).to.equal(true);
      const through = made.pipe(new PassThrough());
      expect(whyNotNow(made)).to.equal(undefined);
      await once(through, 'data');
      expect(hasBuffered(made)).to.equal(false);
    });

    it('has ended, or failed', async () => {
      const ended = piped();
      ended.push(null);
      expect(whyNotNow(ended)).to.equal('other-consumer' satisfies Reason);
      const failed = piped();
      failed.on('error', () => undefined).destroy(new Error('on purpose'));
      expect(whyNotNow(failed)).to.equal('other-consumer');
    });

    for (const method of ['push', 'emit']) {
      it(`has its ${method} wrapped`, () => {
        const made = piped();
        expect(wrapped(made, method, () => whyNotNow(made))).to.equal('patched-stream' satisfies Reason);
        expect(whyNotNow(made)).to.equal(undefined);
      });
    }

    it('reads from a file system that is mocked', () => {
      const made = piped();
      expect(wrapped(fs, 'read', () => whyNotNow(made))).to.equal('patched-fs' satisfies Reason);
      expect(whyNotNow(made)).to.equal(undefined);
    });
  });
});
