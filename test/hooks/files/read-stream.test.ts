import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { closeSync, openSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import net, { Socket } from 'node:net';
import { constants as os } from 'node:os';
import { PassThrough, pipeline } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import { expect } from 'chai';
import { notePassThrough, type Reason } from '../../../src/hooks/files/eligibility.js';
import { readStreamHook } from '../../../src/hooks/files/read-stream.js';
import { liveRegions } from '../../../src/hooks/files/region.js';
import type { FileCalls } from '../../../src/native/platform.js';
import type { NetSocket } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content, digest } from '../../support/files/content.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { holdResponses } from '../../support/sockets/held-response.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { securePair } from '../../support/sockets/secure-pair.js';
import { listening, reach, received, type SocketPair, socketPair } from '../../support/sockets/socket-pair.js';
import { descriptorsLeftOf, descriptorsOf, positionOf } from '../../support/test-run/descriptors.js';
import { turns } from '../../support/turns.js';
import { until } from '../../support/until.js';

const LIMITS = { min: 1000, window: 100_000 };
const SIZE = 1_000_000;
/** More than sockets take without their peer. */
const LARGE = 24 << 20;

describe('a file stream', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  const pairs: SocketPair[] = [];
  let path: string;
  let calls: Partial<FileCalls>;
  let sendfiles: [position: number, count: number][];
  let undo: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
  });

  beforeEach(() => {
    calls = {};
    sendfiles = [];
    const files: FileCalls = {
      ...realFiles(),
      resident: (...args) => (calls.resident ?? realFiles().resident)(...args),
      duplicate: (...args) => (calls.duplicate ?? realFiles().duplicate)(...args),
      sendfile(socket, file, position, count) {
        sendfiles.push([position, count]);
        return (calls.sendfile ?? realFiles().sendfile)(socket, file, position, count);
      },
    };
    undo = readStreamHook.install(hookContext({}, { ...linux(), files }, { sendfile: LIMITS }));
    expect(undo).not.to.equal(undefined);
  });

  afterEach(async () => {
    for (const pair of pairs.splice(0)) pair.close();
    await new Promise(setImmediate);
    undo?.();
    undo = undefined;
    expect(liveRegions()).to.equal(0);
    expect(await descriptorsLeftOf(path)).to.deep.equal([]);
  });

  async function connect(name?: string): Promise<SocketPair> {
    const pair = await socketPair(name === undefined ? undefined : scratch.path(name));
    pairs.push(pair);
    return pair;
  }

  /** What the counters have counted meanwhile. */
  async function counted(act: () => Promise<unknown>) {
    const before = { ...counters, notRerouted: new Map(counters.notRerouted) };
    await act();
    const reasons = [...counters.notRerouted].filter(([reason, times]) => times !== before.notRerouted.get(reason));
    return {
      rerouted: counters.reroutedStreams - before.reroutedStreams,
      bytes: counters.sendfileBytes - before.sendfileBytes,
      reasons: reasons.map(([reason]) => reason),
    };
  }

  describe('whose file becomes shorter between two windows', () => {
    for (const [framing, follows, reader] of [
      ['its length', false, 'us'],
      ['its length', false, 'Node'],
      ['chunks', true, 'us'],
    ] as const) {
      it(`is ${follows ? 'followed by' : 'never taken for the begin of'} the next response, where the framing is by ${framing}, and it is read by ${reader}`, async () => {
        const name = scratch.file('shrinking', content(LARGE));
        const events: string[] = [];
        let requests = 0;
        const server = http.createServer((_, response) => {
          if (requests++ > 0) {
            response.end('the next response');
            return;
          }
          if (!follows) response.setHeader('content-length', LARGE);
          const stream = fs.createReadStream(name).on('end', () => events.push('end'));
          response.on('finish', () => events.push('finish'));
          stream.pipe(response);
          response.once('drain', () => {
            if (reader === 'us') fs.truncateSync(name, 0);
            // Between our look at its size and Node's read.
            else
              calls.resident = () => {
                fs.truncateSync(name, 0);
                return 0;
              };
          });
        });
        await listening(server);
        const client = net.connect(reach(server));
        client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        const all = await received(client);
        server.close();
        expect(all.length).to.be.below(LARGE);
        expect(all.includes('the next response')).to.equal(follows);
        expect(events).to.deep.equal(['end', 'finish']);
      });
    }
  });

  it('whose file grows sends no more than was promised, and the next response follows', async () => {
    const name = scratch.file('growing-file', bytes);
    let requests = 0;
    const server = http.createServer((_, response) => {
      if (requests++ > 0) {
        response.end('the next response');
        return;
      }
      response.setHeader('content-length', SIZE);
      const stream = fs.createReadStream(name);
      const grow = (): unknown =>
        stream.bytesRead === 0 ? setImmediate(grow) : fs.appendFileSync(name, 'more'.repeat(50_000));
      grow();
      stream.pipe(response);
    });
    await listening(server);
    const client = net.connect(reach(server));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const all = await received(client);
    server.close();
    const begin = all.indexOf('\r\n\r\n') + 4;
    expect(fs.statSync(name).size).to.be.above(SIZE);
    expect(digest(all.subarray(begin, begin + SIZE))).to.equal(digest(bytes));
    expect(all.subarray(begin + SIZE).toString('latin1')).to.match(/^HTTP\/1.1 200 OK\r\n[\s\S]*the next response$/);
  });

  describe('is sent by sendfile', () => {
    type Options = Parameters<typeof fs.createReadStream>[1];
    const ranges: Readonly<Record<string, [() => Options, number, number]>> = {
      'when all of it is': [() => ({}), 0, SIZE],
      'when a range of it is': [() => ({ start: 12_345, end: 654_320 }), 12_345, 654_321],
      'when its end is': [() => ({ start: 900_001 }), 900_001, SIZE],
      'when the range goes beyond its end': [() => ({ start: 5, end: SIZE * 2 }), 5, SIZE],
      'when it is a descriptor with a start': [() => ({ fd: openSync(path, 'r'), start: 77 }), 77, SIZE],
      'when its chunks are to be small': [() => ({ highWaterMark: 10 }), 0, SIZE],
    };

    for (const [title, [options, start, end]] of Object.entries(ranges)) {
      it(title, async () => {
        const { accepted, client } = await connect();
        const body = received(client);
        const stream = fs.createReadStream(path, options());
        const { rerouted, bytes: sent } = await counted(async () => {
          stream.pipe(accepted);
          expect(digest(await body)).to.equal(digest(bytes.subarray(start, end)));
        });
        expect(rerouted).to.equal(1);
        expect(sent).to.be.greaterThan(0);
        expect(stream.bytesRead).to.equal(end - start);
        if (!stream.closed) await once(stream, 'close');
      });
    }

    it('window by window, the last two of which are one', async () => {
      const { accepted, client } = await connect();
      const body = received(client);
      fs.createReadStream(path).pipe(accepted);
      await body;
      const windows = new Set(sendfiles.map(([position]) => Math.min(Math.floor(position / LIMITS.window), 8)));
      expect([...windows]).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      for (const [, count] of sendfiles) expect(count).to.be.at.most(LIMITS.window * 2);
    });

    it('over a Unix socket', async () => {
      const { accepted, client } = await connect('unix');
      const body = received(client);
      const { rerouted } = await counted(async () => {
        fs.createReadStream(path).pipe(accepted);
        expect(digest(await body)).to.equal(digest(bytes));
      });
      expect(rerouted).to.equal(1);
    });

    it('by pipeline, of streams or of promises', async () => {
      const pipelines = [
        (to: NetSocket) => new Promise((resolve) => pipeline(fs.createReadStream(path), to, resolve)),
        (to: NetSocket) => pipelinePromise(fs.createReadStream(path), to),
      ];
      for (const run of pipelines) {
        const { accepted, client } = await connect();
        const body = received(client);
        const { rerouted } = await counted(async () => {
          expect(await run(accepted)).to.equal(undefined);
          expect(digest(await body)).to.equal(digest(bytes));
        });
        expect(rerouted).to.equal(1);
      }
    });

    it('between what is written before and after it', async () => {
      const { accepted, client } = await connect();
      const body = received(client);
      accepted.write('before');
      const stream = fs.createReadStream(path);
      stream.pipe(accepted, { end: false });
      await once(stream, 'end');
      accepted.end('after');
      expect(digest(await body)).to.equal(digest('before', bytes, 'after'));
    });

    it('in the responses of a connection that is kept alive, chunked or with their length', async () => {
      const server = http.createServer((request, response) => {
        if (request.url === '/length') response.setHeader('Content-Length', SIZE);
        fs.createReadStream(path).pipe(response);
      });
      await listening(server);
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      for (const url of ['/length', '/chunked', '/length', '/chunked']) {
        const { rerouted } = await counted(async () => {
          const [response] = await once(http.get({ ...reach(server), path: url, agent }), 'response');
          expect(response.headers['transfer-encoding']).to.equal(url === '/length' ? undefined : 'chunked');
          expect(digest(await received(response))).to.equal(digest(bytes));
        });
        expect(rerouted, url).to.equal(1);
      }
      agent.destroy();
      server.close();
    });

    it('without moving the position of the descriptor, which belongs to somebody else', async () => {
      const fd = openSync(path, 'r');
      const { accepted, client } = await connect();
      const body = received(client);
      const { rerouted } = await counted(async () => {
        fs.createReadStream('', { fd, start: 10, autoClose: false }).pipe(accepted);
        expect(digest(await body)).to.equal(digest(bytes.subarray(10)));
      });
      expect(rerouted).to.equal(1);
      expect(positionOf(fd)).to.equal(0);
      closeSync(fd);
    });

    it('as it is when it is reached, where it grows', async () => {
      const growing = scratch.file('growing', bytes);
      const { accepted, client } = await connect();
      const body = received(client);
      const stream = fs.createReadStream(growing);
      calls.sendfile = (...args) => {
        if (sendfiles.length === 1) fs.appendFileSync(growing, 'and more');
        return realFiles().sendfile(...args);
      };
      stream.pipe(accepted);
      expect(digest(await body)).to.equal(digest(bytes, 'and more'));
    });
  });

  describe('goes Node’s own way, and is counted, because', () => {
    interface Scenario {
      readonly because: string;
      /** Pipe something; answers with what came out, and with what should have. */
      run(): Promise<readonly [Buffer, Buffer | string]>;
      /** Some of it was sent by sendfile before. */
      readonly isReroutedFirst?: true;
    }

    /** Pipe a stream to a plain socket. */
    async function toSocket(stream: fs.ReadStream, prepare: (socket: NetSocket) => void = () => undefined) {
      const { accepted, client } = await connect();
      prepare(accepted);
      const body = received(client);
      stream.pipe(accepted);
      return await body;
    }

    /** Pipe the file to a response. */
    async function respond(prepare: (response: http.ServerResponse) => void): Promise<readonly [Buffer, Buffer]> {
      let finished: Promise<unknown> | undefined;
      const server = http.createServer((_, answer) => {
        prepare(answer);
        finished = once(answer, 'finish');
        fs.createReadStream(path).pipe(answer);
      });
      await listening(server);
      // A client that leaves before Node has read the end of the file has Node's own pipe keep the file open.
      const agent = new http.Agent({ keepAlive: true });
      const [response] = await once(http.get({ ...reach(server), agent }), 'response');
      const body = await received(response);
      await finished;
      agent.destroy();
      server.close();
      return [body, bytes];
    }

    const passOn = (object: object, method: string): void => {
      const original: unknown = Reflect.get(object, method);
      Reflect.set(object, method, function (this: unknown, ...args: unknown[]) {
        return typeof original === 'function' ? Reflect.apply(original, this, args) : undefined;
      });
    };

    const SCENARIOS: Readonly<Record<Reason, Scenario>> = {
      'no-single-pipe': {
        because: 'a second pipe is added while it flows',
        isReroutedFirst: true,
        async run() {
          const { accepted, client } = await connect();
          const body = received(client);
          const stream = fs.createReadStream(path);
          const second = new PassThrough();
          const copy = received(second as unknown as Socket);
          stream.pipe(accepted);
          // The second window comes some turns of the event loop after the first.
          while (stream.bytesRead === 0) await new Promise(setImmediate);
          stream.pipe(second);
          const arrived = await body;
          const rest = await copy;
          expect(rest.length).to.be.within(1, SIZE - 1);
          expect(digest(rest)).to.equal(digest(bytes.subarray(SIZE - rest.length)));
          return [arrived, bytes];
        },
      },
      compressed: {
        because: 'its response may be compressed before it gets to the socket',
        run: () =>
          respond((response) => {
            const write = response.write.bind(response);
            Reflect.set(response, 'write', write);
            notePassThrough(response, write);
            response.writeHead(200, { 'content-encoding': 'x-ours' });
          }),
      },
      'not-a-socket': {
        because: 'it goes to another stream',
        async run() {
          const through = fs.createReadStream(path).pipe(new PassThrough());
          return [await received(through as unknown as Socket), bytes];
        },
      },
      'tls-or-wrapped-socket': {
        because: 'the socket encrypts',
        async run() {
          const pair = await securePair();
          pairs.push(pair);
          const body = received(pair.client);
          fs.createReadStream(path).pipe(pair.accepted);
          return [await body, bytes];
        },
      },
      'patched-socket': {
        because: 'the socket’s write is wrapped',
        run: async () => [await toSocket(fs.createReadStream(path), (socket) => passOn(socket, 'write')), bytes],
      },
      'patched-response': {
        because: 'the response’s write is wrapped',
        run: () => respond((response) => passOn(response, 'write')),
      },
      'patched-stream': {
        because: 'its class is somebody else’s',
        async run() {
          class Own extends fs.ReadStream {}
          return [await toSocket(Reflect.construct(Own, [path])), bytes];
        },
      },
      'patched-fs': {
        because: 'it brings its own file system',
        async run() {
          const options = { fs: { open: fs.open, read: fs.read, close: fs.close } };
          return [await toSocket(fs.createReadStream(path, options as object)), bytes];
        },
      },
      stdio: {
        because: 'the socket is standard output',
        run: async () => [
          await toSocket(fs.createReadStream(path), (socket) => Reflect.set(socket, '_isStdio', true)),
          bytes,
        ],
      },
      'destination-not-ready': {
        because: 'the response has to wait for its turn',
        async run() {
          const held = await holdResponses('GET', 'GET');
          const [first, second] = held.responses;
          const stream = fs.createReadStream(scratch.file('second', 'the second'));
          stream.pipe(second!);
          await once(stream, 'end');
          let arrived = '';
          held.client.setEncoding('latin1').on('data', (chunk: string) => {
            arrived += chunk;
          });
          first?.end('the first');
          while (!arrived.includes('the second')) await once(held.client, 'data');
          held.close();
          return [Buffer.from(arrived.match(/the (?:first|second)/g)?.join() ?? ''), 'the first,the second'];
        },
      },
      'destination-ended': {
        because: 'the socket is ended before it begins',
        async run() {
          const { accepted, client } = await connect();
          const body = received(client);
          accepted.on('error', () => undefined);
          const stream = fs.createReadStream(path);
          stream.pipe(accepted);
          stream.once('open', () => accepted.end('all'));
          const arrived = await body;
          stream.destroy();
          await new Promise<void>((resolve) => stream.once('close', resolve));
          return [arrived, 'all'];
        },
      },
      'no-body': {
        because: 'the response has no body',
        async run() {
          const server = http.createServer((_, answer) => {
            fs.createReadStream(path).pipe(answer);
          });
          await listening(server);
          const request = http.request({ ...reach(server), method: 'HEAD', agent: false }).end();
          const [response] = await once(request, 'response');
          const body = await received(response);
          server.close();
          return [body, ''];
        },
      },
      'strict-content-length': {
        because: 'each chunk of the response is counted against its length',
        run: () =>
          respond((response) => {
            response.strictContentLength = true;
            response.setHeader('content-length', SIZE);
          }),
      },
      'other-consumer': {
        because: 'somebody else listens to its data',
        async run() {
          const stream = fs.createReadStream(path);
          const seen: (Buffer | string)[] = [];
          stream.on('data', (chunk) => seen.push(chunk));
          const body = await toSocket(stream);
          expect(digest(...seen)).to.equal(digest(bytes));
          return [body, bytes];
        },
      },
      'encoding-or-object-mode': {
        because: 'it has an encoding',
        async run() {
          const text = bytes.toString('hex');
          return [await toSocket(fs.createReadStream(scratch.file('text', text), 'latin1')), text];
        },
      },
      'descriptor-without-start': {
        because: 'it reads on from where a descriptor stands',
        async run() {
          const fd = openSync(path, 'r');
          fs.readSync(fd, Buffer.alloc(5), 0, 5, null);
          return [await toSocket(fs.createReadStream('', { fd })), bytes.subarray(5)];
        },
      },
      'file-handle': {
        because: 'it reads a FileHandle',
        run: async () => [await toSocket((await open(path)).createReadStream()), bytes],
      },
      flags: {
        because: 'its file is opened for writing too',
        run: async () => [await toSocket(fs.createReadStream(path, { flags: 'r+' })), bytes],
      },
      'not-a-regular-file': {
        because: 'it is a FIFO',
        async run() {
          const fifo = scratch.path('fifo');
          execFileSync('mkfifo', [fifo]);
          const writer = spawn('cp', [path, fifo], { stdio: 'ignore' });
          const ended = once(writer, 'exit');
          const body = await toSocket(fs.createReadStream(fifo));
          await ended;
          return [body, bytes];
        },
      },
      'empty-file': {
        because: 'it is empty, as all of /proc seems to be',
        async run() {
          const body = await toSocket(fs.createReadStream('/proc/self/mountinfo'));
          return [body, fs.readFileSync('/proc/self/mountinfo')];
        },
      },
      'unknown-filesystem': {
        because: 'its file system makes sizes up',
        async run() {
          const name = '/sys/kernel/mm/transparent_hugepage/enabled';
          return [await toSocket(fs.createReadStream(name)), fs.readFileSync(name)];
        },
      },
      'not-resident': {
        because: 'it would have to be waited for',
        async run() {
          calls.resident = () => 0;
          return [await toSocket(fs.createReadStream(path)), bytes];
        },
      },
      'residency-unknown': {
        because: 'nobody says whether it would have to be waited for',
        async run() {
          calls.resident = () => -1;
          return [await toSocket(fs.createReadStream(path)), bytes];
        },
      },
    };

    for (const [reason, scenario] of Object.entries(SCENARIOS)) {
      it(`${scenario.because} (${reason})`, async function () {
        if (reason === 'unknown-filesystem' && !fs.existsSync('/sys/kernel/mm/transparent_hugepage/enabled'))
          this.skip();
        const { rerouted, reasons } = await counted(async () => {
          const [arrived, expected] = await scenario.run();
          expect(digest(arrived)).to.equal(digest(expected));
        });
        expect(reasons).to.deep.equal([reason]);
        expect(rerouted).to.equal(scenario.isReroutedFirst ? 1 : 0);
      });
    }

    it('it is cold at first, and goes by sendfile from where it is not', async () => {
      calls.resident = (_, position, count) => (position < 300_000 ? 0 : count);
      const { rerouted, bytes: sent } = await counted(async () => {
        expect(digest(await toSocket(fs.createReadStream(path)))).to.equal(digest(bytes));
      });
      expect(rerouted).to.equal(1);
      expect(sent).to.be.within(1, SIZE - 300_000);
      for (const [position] of sendfiles) expect(position).to.be.at.least(300_000);
    });

    it('there is no descriptor left for a duplicate', async () => {
      calls.duplicate = () => -os.errno.EMFILE;
      const { rerouted } = await counted(async () => {
        const stream = fs.createReadStream('', { fd: openSync(path, 'r'), start: 0 });
        expect(digest(await toSocket(stream))).to.equal(digest(bytes));
        if (!stream.closed) await once(stream, 'close');
      });
      expect(rerouted).to.equal(0);
    });
  });

  describe('obeys between windows', () => {
    /** A stream to a socket whose peer does not read yet. */
    async function stalled(): Promise<{ stream: fs.ReadStream; pair: SocketPair; large: Buffer; name: string }> {
      const large = content(LARGE, 17);
      const name = scratch.file('large', large);
      const pair = await connect();
      pair.client.pause();
      const stream = fs.createReadStream(name);
      stream.pipe(pair.accepted);
      const isStalled = () => pair.accepted.writableNeedDrain && stream.bytesRead > 0 && isQuiet(stream);
      await until('the socket takes no more', isStalled);
      expect(stream.bytesRead).to.be.lessThan(LARGE);
      return { stream, pair, large, name };
    }

    function isQuiet(stream: fs.ReadStream): boolean {
      return stream.readableFlowing === false || stream.isPaused();
    }

    it('back-pressure: it is read as the peer reads', async () => {
      const { stream, pair, large } = await stalled();
      const { bytesRead } = stream;
      await turns();
      expect(stream.bytesRead).to.equal(bytesRead);
      expect(digest(await received(pair.client))).to.equal(digest(large));
    });

    it('unpipe(): not a byte more than was read is sent', async () => {
      const { stream, pair, large } = await stalled();
      stream.unpipe(pair.accepted);
      const { bytesRead } = stream;
      pair.accepted.end('end');
      const arrived = await received(pair.client);
      expect(digest(arrived)).to.equal(digest(large.subarray(0, bytesRead), 'end'));
      expect(stream.bytesRead).to.equal(bytesRead);
      stream.destroy();
      await once(stream, 'close');
    });

    it('a consumer that comes late: it gets every byte from there on', async () => {
      const { stream, pair, large } = await stalled();
      const { bytesRead } = stream;
      const seen: Buffer[] = [];
      stream.on('data', (chunk: Buffer | string) => seen.push(Buffer.from(chunk)));
      expect(digest(await received(pair.client))).to.equal(digest(large));
      expect(digest(...seen)).to.equal(digest(large.subarray(bytesRead)));
    });

    it('pause() and resume()', async () => {
      const { accepted, client } = await connect();
      const body = received(client);
      const stream = fs.createReadStream(path);
      stream.pipe(accepted);
      stream.pause();
      await once(stream, 'open');
      await turns();
      expect(stream.bytesRead).to.equal(0);
      const { rerouted } = await counted(async () => {
        stream.resume();
        expect(digest(await body)).to.equal(digest(bytes));
      });
      expect(rerouted).to.equal(1);
    });

    it('destroy(): what was read is sent, from the very file, and the descriptor is closed', async () => {
      const { stream, pair, large, name } = await stalled();
      const { bytesRead } = stream;
      const number = Reflect.get(stream, 'fd');
      stream.destroy();
      await once(stream, 'close');
      // The number is another file's now.
      const other = openSync(scratch.file('other', content(LARGE, 23)), 'r');
      expect(other).to.equal(number);
      pair.accepted.end();
      expect(digest(await received(pair.client))).to.equal(digest(large.subarray(0, bytesRead)));
      closeSync(other);
      expect(await descriptorsLeftOf(name)).to.deep.equal([]);
    });

    it('destroy() also where no descriptor is left: the file is closed when it has been sent', async () => {
      const { stream, pair, large, name } = await stalled();
      const { bytesRead } = stream;
      calls.duplicate = () => -os.errno.EMFILE;
      stream.destroy();
      await turns();
      expect(stream.closed).to.equal(false);
      expect(descriptorsOf(name)).to.have.length(1);
      const closed = once(stream, 'close');
      pair.accepted.end();
      expect(digest(await received(pair.client))).to.equal(digest(large.subarray(0, bytesRead)));
      await closed;
      expect(await descriptorsLeftOf(name)).to.deep.equal([]);
    });

    it('the end of the connection: nothing of it stays behind', async () => {
      const { stream, pair, name } = await stalled();
      pair.accepted.on('error', () => undefined);
      pair.client.resetAndDestroy();
      await new Promise<unknown>((resolve) => pair.accepted.once('close', resolve));
      expect(liveRegions()).to.equal(0);
      // Stock Node leaves the stream open behind a bare pipe.
      stream.destroy();
      await once(stream, 'close');
      expect(await descriptorsLeftOf(name)).to.deep.equal([]);
    });

    it('the undoing of the hook: what is on its way is sent from the very file, the rest by Node', async () => {
      const { stream, pair, large } = await stalled();
      undo?.();
      const { rerouted } = await counted(async () => {
        expect(digest(await received(pair.client))).to.equal(digest(large));
      });
      expect(rerouted).to.equal(0);
      expect(stream.bytesRead).to.equal(LARGE);
    });

    it('the undoing of the hook, also where the stream is destroyed after it', async () => {
      const { stream, pair, large, name } = await stalled();
      const { bytesRead } = stream;
      const number = Reflect.get(stream, 'fd');
      undo?.();
      stream.destroy();
      await once(stream, 'close');
      const other = openSync(scratch.file('other', content(LARGE, 23)), 'r');
      pair.accepted.end();
      const arrived = await received(pair.client);
      closeSync(other);
      expect(other).to.equal(number);
      expect(digest(arrived)).to.equal(digest(large.subarray(0, bytesRead)));
      expect(await descriptorsLeftOf(name)).to.deep.equal([]);
    });
  });

  it('fails as ever: on a file that is not there, and on a directory', async () => {
    const { accepted } = await connect();
    for (const [name, code] of [
      [scratch.path('nothing'), 'ENOENT'],
      [scratch.path('.'), 'EISDIR'],
    ] as const) {
      const stream = fs.createReadStream(name);
      stream.pipe(accepted, { end: false });
      const [error] = await once(stream, 'error');
      expect(error).to.include({ code });
    }
  });

  it('is left alone once the hook is undone', async () => {
    undo?.();
    const { accepted, client } = await connect();
    const body = received(client);
    const { rerouted, bytes: sent } = await counted(async () => {
      fs.createReadStream(path).pipe(accepted);
      expect(digest(await body)).to.equal(digest(bytes));
    });
    expect([rerouted, sent]).to.deep.equal([0, 0]);
  });

  describe('is left alone where', () => {
    beforeEach(() => undo?.());

    const methods = (): unknown[] => [
      Reflect.get(fs.ReadStream.prototype, '_read'),
      Reflect.get(fs.ReadStream.prototype, '_destroy'),
      Reflect.get(Socket.prototype, '_writeGeneric'),
      Reflect.get(Socket.prototype, '_destroy'),
    ];

    it('sending files is switched off', () => {
      const before = methods();
      expect(readStreamHook.install(hookContext({}, linux()))).to.equal(undefined);
      expect(methods()).to.deep.equal(before);
    });

    for (const [object, method] of [
      [fs.ReadStream.prototype, '_read'],
      [fs.ReadStream.prototype, '_destroy'],
      [net.Socket.prototype, '_writeGeneric'],
      [net.Socket.prototype, '_destroy'],
    ] as const) {
      it(`${object === Socket.prototype ? 'Socket' : 'ReadStream'}’s ${method} is not the one we know`, () => {
        const own = Object.getOwnPropertyDescriptor(object, method)!;
        Reflect.set(object, method, () => undefined);
        try {
          const before = methods();
          expect(readStreamHook.install(hookContext({}, linux(), { sendfile: LIMITS }))).to.equal(undefined);
          expect(methods()).to.deep.equal(before);
        } finally {
          Object.defineProperty(object, method, own);
        }
      });
    }

    it('the system has no calls for it, which is found out when there is a file', async () => {
      let asked = 0;
      const context = {
        ...hookContext({}, linux(), { sendfile: LIMITS }),
        platform: () => {
          asked++;
          return { ...linux(), files: undefined };
        },
      };
      undo = readStreamHook.install(context);
      expect(asked).to.equal(0);
      const { accepted, client } = await connect();
      const body = received(client);
      const { rerouted } = await counted(async () => {
        fs.createReadStream(path).pipe(accepted);
        expect(digest(await body)).to.equal(digest(bytes));
      });
      expect(asked).to.be.greaterThan(0);
      expect(rerouted).to.equal(0);
    });
  });

  for (const size of [100, 10_000, 40_000, 90_000, 190_000]) {
    it(`leaves in the turn in which it ends, so that no client that closes by then is ahead: ${size} bytes`, async () => {
      const name = scratch.file('whole', content(size));
      const { accepted, client } = await connect();
      const body = received(client);
      const handle = accepted._handle;
      const stream = fs.createReadStream(name);
      const { rerouted } = await counted(async () => {
        stream.pipe(accepted);
        while (!stream.readableEnded) {
          expect(handle?.bytesWritten, 'what the kernel has').to.equal(0);
          await new Promise(setImmediate);
        }
      });
      expect(rerouted).to.equal(1);
      expect(handle?.bytesWritten).to.equal(size);
      expect(digest(await body)).to.equal(digest(content(size)));
    });
  }

  it('takes part in no later change of a file that it has read, and keeps none open, even behind a full socket', async () => {
    const small = content(500, 3);
    const name = scratch.file('changing', small);
    const other = await connect();
    const bodyOfOther = received(other.client);
    const { accepted, client } = await connect();
    client.pause();
    let queued = 0;
    for (; accepted.writableLength === 0; queued++) {
      accepted.write(Buffer.alloc(4000));
      await new Promise(setImmediate);
    }
    const stream = fs.createReadStream(name);
    const { rerouted } = await counted(async () => {
      stream.pipe(accepted, { end: false });
      await once(stream, 'close');
    });
    expect(rerouted).to.equal(1);
    expect(descriptorsOf(name)).to.deep.equal([]);
    // Another file is read to where this one was.
    fs.createReadStream(scratch.file('other', 'another')).pipe(other.accepted);
    expect((await bodyOfOther).toString()).to.equal('another');
    writeFileSync(name, '');
    accepted.end('the end');
    const all = await received(client);
    expect(digest(all.subarray(queued * 4000))).to.equal(digest(small, 'the end'));
  });
});
