import { subscribe } from 'node:diagnostics_channel';
import { createReadStream, type ReadStream } from 'node:fs';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished, pipeline } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import type { Reason } from '../../../../src/hooks/files/eligibility.js';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES, type SampleName } from '../../../support/files/sample-files.js';
import { describeError, type Recorder } from '../../harness/recorder.js';
import {
  exchange,
  lastRequest,
  listening,
  noteResponses,
  openClient,
  pause,
  portOf,
  request,
  until,
  untilBlocked,
  watchedServer,
} from '../exchange.js';
import { samplePath } from '../samples.js';
import { type FileScenarios, fileScenarios } from '../scenario.js';
import { watchStream } from '../watch.js';

function pipeFile(recorder: Recorder, response: ServerResponse, name: SampleName, who = 'stream'): void {
  watchStream(recorder, who, createReadStream(samplePath(name))).pipe(response);
}

/** A response that counts its length strictly, and has promised less than the file has. */
function tooShort(name: SampleName, reasons: Readonly<Partial<Record<Reason, number>>> = {}): FileScenarios[string] {
  return {
    travel: { original: { 'strict-content-length': 1, ...reasons } },
    run: async (recorder) => {
      process.once('uncaughtException', (error) =>
        recorder.event('process', 'uncaughtException', describeError(error)),
      );
      await exchange(recorder, ({ response }) => {
        response.strictContentLength = true;
        response.setHeader('content-length', 100);
        pipeFile(recorder, response, name);
        response.socket?.setTimeout(100, () => response.destroy());
      });
    },
  };
}

/** A body of every size, which Node would frame as chunks or not. */
function sizes(framing: 'chunked' | 'length'): FileScenarios {
  const ofSize = (name: SampleName): FileScenarios[string] => ({
    travel: SAMPLE_SIZES[name] === 0 ? { original: { 'empty-file': 1 } } : { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        if (framing === 'length') response.setHeader('content-length', SAMPLE_SIZES[name]);
        pipeFile(recorder, response, name);
      }),
  });
  const names = ['0', '1', '100', '10k', '64k', '64k-and-1', '100k', '1m', '1m-and-1', '20m'] as const;
  return Object.fromEntries(
    names.map((name) => [`a file of ${name} bytes piped to a response with ${framing} framing`, ofSize(name)]),
  );
}

/** Responses that have no body, whatever is written to them. */
const withoutBody: FileScenarios = Object.fromEntries(
  [304, 204].map((status): [string, FileScenarios[string]] => [
    `a file piped to a response with status ${status}`,
    {
      travel: { original: { 'no-body': 1 } },
      run: (recorder) =>
        exchange(recorder, ({ response }) => {
          response.writeHead(status);
          pipeFile(recorder, response, '100k');
        }),
    },
  ]),
);

interface Answer {
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

function ask(port: number, agent: Agent, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get({ port, agent, path, host: '127.0.0.1' }, (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const rawHeaders = incoming.rawHeaders.map((text) => text.replace(/.* GMT$/, 'masked'));
        resolve({ rawHeaders, body: digest(Buffer.concat(chunks)) });
      });
    }).on('error', reject);
  });
}

export const scenarios = fileScenarios({
  ...sizes('chunked'),
  ...sizes('length'),

  'a file sent by stream.pipeline': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        pipeline(stream, response, (error) => recorder.event('pipeline', 'is done', String(error)));
      }),
  },

  'a file sent by the pipeline that returns a promise': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        await pipelinePromise(stream, response);
        recorder.event('pipeline', 'is done');
      }),
  },

  'a pipeline that leaves the response open for more': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        await pipelinePromise(stream, response, { end: false });
        response.end('and that is all');
      }),
  },

  'a part of a file, by start and end': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.writeHead(206, { 'content-length': 500_000 });
        const stream = createReadStream(samplePath('1m'), { start: 12_345, end: 512_344 });
        watchStream(recorder, 'stream', stream).pipe(response);
      }),
  },

  'a part of a file that ends beyond its end': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = createReadStream(samplePath('100k'), { start: 50_000, end: 5_000_000 });
        watchStream(recorder, 'stream', stream).pipe(response);
      }),
  },

  'a part of a file that begins at its end': {
    travel: { rerouted: 0 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        watchStream(recorder, 'stream', createReadStream(samplePath('100k'), { start: 100_000 })).pipe(response);
      }),
  },

  'a part of a file of one byte': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = createReadStream(samplePath('100k'), { start: 70_000, end: 70_000 });
        watchStream(recorder, 'stream', stream).pipe(response);
      }),
  },

  'a file after earlier writes': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.write('before\n');
        response.write(Buffer.from('just before\n'));
        pipeFile(recorder, response, '100k');
        response.write('after pipe(), and before the first byte of the file\n');
      }),
  },

  'a file after more earlier writes than the socket takes': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const answer = async ({ response }: { response: ServerResponse }): Promise<void> => {
        for (let index = 0; index < 8; index++) response.write(Buffer.alloc(2 << 20, index));
        pipeFile(recorder, response, '3m');
        if (response.socket !== null) await untilBlocked(response.socket);
        client.read();
      };
      let framing = 0;
      const server = await listening(watchedServer(recorder, answer, {}, () => framing));
      const client = openClient(recorder, portOf(server), lastRequest());
      framing = noteResponses(recorder, 'received', await client.all, ['GET']);
      server.close();
    },
  },

  'a file that is followed by more writes': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        stream.on('end', () => {
          response.write('after\n');
          response.end('the end\n');
        });
        stream.pipe(response, { end: false });
      }),
  },

  'an empty file that is followed by more writes': {
    travel: { original: { 'empty-file': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('0')));
        stream.on('end', () => response.end('the end\n'));
        stream.pipe(response, { end: false });
      }),
  },

  'several files one after the other in one response': {
    travel: { rerouted: 3 },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        for (const name of ['100k', '1m', '64k-and-1'] as const) {
          const stream = watchStream(recorder, `stream-${name}`, createReadStream(samplePath(name)));
          response.write(`${name}:\n`);
          stream.pipe(response, { end: false });
          await new Promise<void>((resolve) => stream.once('end', resolve));
        }
        response.end();
      }),
  },

  'two files piped to one response at once': {
    travel: { rerouted: 2 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const first = watchStream(recorder, 'stream-1', createReadStream(samplePath('10k')));
        const second = watchStream(recorder, 'stream-2', createReadStream(samplePath('10k')));
        first.pipe(response, { end: false });
        second.pipe(response, { end: false });
        let ended = 0;
        for (const stream of [first, second]) stream.on('end', () => ++ended === 2 && response.end());
      }),
    loose: ['stream-1', 'stream-2'],
  },

  'the answer to HEAD': {
    travel: { original: { 'no-body': 1 } },
    run: (recorder) =>
      exchange(
        recorder,
        ({ response }) => {
          response.setHeader('content-length', SAMPLE_SIZES['100k']);
          pipeFile(recorder, response, '100k');
        },
        [lastRequest('HEAD /')],
      ),
  },

  ...withoutBody,

  'a Content-Length that is larger than the file': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.setHeader('content-length', SAMPLE_SIZES['100k'] + 10);
        pipeFile(recorder, response, '100k');
      }),
  },

  'a Content-Length that is smaller than the file': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.setHeader('content-length', 70_000);
        pipeFile(recorder, response, '100k');
      }),
  },

  'a response that says itself that it is chunked, with trailers': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked', trailer: 'x-checksum' });
        response.addTrailers({ 'x-checksum': 'abc' });
        pipeFile(recorder, response, '1m');
      }),
  },

  'a response whose headers have been flushed': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.flushHeaders();
        setTimeout(() => pipeFile(recorder, response, '100k'), 5);
      }),
  },

  'the answer to Expect: 100-continue': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => pipeFile(recorder, response, '100k'), [
        lastRequest('GET /', ['Expect: 100-continue']),
      ]),
  },

  'the answer to a client of HTTP/1.0': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => pipeFile(recorder, response, '100k'), ['GET / HTTP/1.0\r\n\r\n']),
  },

  'a response without a date, after early hints': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.sendDate = false;
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        pipeFile(recorder, response, '100k');
      }),
  },

  'a server with a small highWaterMark': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => pipeFile(recorder, response, '1m'), [lastRequest()], {
        highWaterMark: 1000,
      }),
  },

  'a response with more headers than one segment takes': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.setHeader('content-length', SAMPLE_SIZES['100k']);
        for (let index = 0; index < 8; index++) response.setHeader(`x-long-${index}`, 'a'.repeat(5000));
        response.setHeader('x-latin1', 'ü');
        pipeFile(recorder, response, '100k');
      }),
  },

  'a response that pipe() returns, and a response that others are told of': {
    travel: { rerouted: 1 },
    run: (recorder) => {
      subscribe('http.server.response.finish', () => recorder.event('channel', 'http.server.response.finish'));
      return exchange(recorder, ({ response }) => {
        finished(response, (error) => recorder.event('finished', String(error), response.socket?.bytesWritten ?? ''));
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        finished(stream, (error) => recorder.event('finished stream', String(error)));
        response.setHeader('content-length', SAMPLE_SIZES['100k']);
        recorder.note('is the response', stream.pipe(response) === response);
      });
    },
  },

  'the socket of a request, written to past its response': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const { socket } = response;
        socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
        if (socket !== null) watchStream(recorder, 'stream', createReadStream(samplePath('100k'))).pipe(socket);
      }),
  },

  'a socket that was upgraded': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = await listening(watchedServer(recorder, () => undefined));
      server.on('upgrade', (_request, socket: Socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: file\r\nconnection: upgrade\r\n\r\n');
        watchStream(recorder, 'stream', createReadStream(samplePath('1m'))).pipe(socket);
      });
      const client = openClient(recorder, portOf(server), request('GET /', ['Connection: upgrade', 'Upgrade: file']));
      client.read();
      recorder.note('received', digest(await client.all));
      server.close();
    },
  },

  'a response that is destroyed before pipe()': {
    travel: { original: {} },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        response.on('error', (error) => recorder.event('app', describeError(error)));
        response.destroy();
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        stream.pipe(response);
        await until(() => stream.bytesRead > 0);
        stream.destroy();
      }),
  },

  'a response that is destroyed right after pipe()': {
    travel: { original: {} },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        stream.pipe(response);
        response.destroy();
        await until(() => stream.bytesRead > 0);
        stream.destroy();
      }),
  },

  'a response that the app corks': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        response.cork();
        response.write('corked\n');
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('10k')));
        stream.on('end', () => process.nextTick(() => response.uncork()));
        stream.pipe(response);
      }),
  },

  'a response that is corked until its end': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('10k')));
        stream.on('open', () => response.cork());
        stream.pipe(response);
      }),
  },

  'a response whose socket the app corks': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const { socket } = response;
        socket?.cork();
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('10k')));
        stream.on('end', () => setTimeout(() => socket?.uncork(), 5));
        stream.pipe(response);
      }),
  },

  'a response that has ended when the file is there': {
    travel: { original: {} },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        pipeFile(recorder, response, '100k');
        response.end('no file\n');
      }),
  },

  'a response with strictContentLength that is too short for the file': tooShort('10k'),

  'a response with strictContentLength that is too short for a file of more than one chunk': tooShort(
    '100k',
    // There the chunk that is too much ends the response, which the next read meets.
    Number.parseInt(process.versions.node, 10) >= 24 ? { 'destination-ended': 1 } : {},
  ),

  '50 files over one connection that is kept alive': {
    travel: { rerouted: 50 },
    areRequestsIndependent: true,
    run: async (recorder) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const server = await listening(
        watchedServer(
          recorder,
          ({ response, number }) => {
            const name = number % 2 === 0 ? '10k' : '100k';
            if (number % 3 === 0) response.setHeader('content-length', SAMPLE_SIZES[name]);
            pipeFile(recorder, response, name, `stream-${number}`);
          },
          {},
          () => Number.NaN,
        ),
      );
      const answers: Answer[] = [];
      for (let index = 0; index < 50; index++) answers.push(await ask(portOf(server), agent, `/${index}`));
      recorder.note('answers', answers);
      agent.destroy();
      server.close();
    },
  },

  'pipelined requests for files and small texts': {
    travel: { mixed: { 'destination-not-ready': 4 } },
    run: (recorder) => {
      const waiting: ReadStream[] = [];
      return exchange(
        recorder,
        async ({ request: incoming, response, number }) => {
          if (incoming.url === '/text') {
            response.end(`text ${number}\n`);
            return;
          }
          const name = number % 2 === 0 ? '100k' : '1m-and-1';
          if (number % 2 === 1) response.setHeader('content-length', SAMPLE_SIZES[name]);
          if (number === 1) {
            // The others wait for their turn, and have read what they may.
            await until(() => waiting.length === 4 && waiting.every(({ readableLength }) => readableLength > 0));
            await pause(20);
          }
          const stream = watchStream(recorder, `stream-${number}`, createReadStream(samplePath(name)));
          if (number > 1) waiting.push(stream);
          stream.pipe(response);
        },
        [
          ...['/a', '/text', '/b', '/c', '/text', '/d'].map((path) => request(`GET ${path}`)),
          request('HEAD /text'),
          lastRequest('GET /e'),
        ],
      );
    },
  },
});
