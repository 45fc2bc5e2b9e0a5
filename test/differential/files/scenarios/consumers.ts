import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES, type SampleName } from '../../../support/files/sample-files.js';
import type { Recorder } from '../../harness/recorder.js';
import {
  exchange,
  lastRequest,
  listening,
  openClient,
  pause,
  portOf,
  until,
  untilBlocked,
  watchedServer,
} from '../exchange.js';
import { isSuffix, samplePath } from '../samples.js';
import { type FileScenario, fileScenarios } from '../scenario.js';
import { watchStream } from '../watch.js';

/** Sends a file while another consumer, set up before pipe(), uses the stream. */
function beside(
  travel: FileScenario['travel'],
  setUp: (recorder: Recorder, stream: ReadStream, response: ServerResponse) => void,
  name: SampleName = '1m-and-1',
): FileScenario {
  return {
    travel,
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath(name)));
        setUp(recorder, stream, response);
        stream.pipe(response);
      }),
  };
}

function hashInto(recorder: Recorder, name: string, source: NodeJS.EventEmitter): void {
  const hash = createHash('sha256');
  source.on('data', (chunk: Buffer) => hash.update(chunk));
  source.on('end', () => recorder.note(name, hash.digest('hex')));
}

/**
 * Send a file to a client that does not read; when the socket takes no more, have `act` happen, and then let the client read
 * on. Everything goes on from the exact byte where it was.
 */
function inMidFlow(
  travel: FileScenario['travel'],
  act: (recorder: Recorder, stream: ReadStream, response: ServerResponse) => unknown,
): FileScenario {
  return {
    travel,
    // No two runs have read the same amount by then.
    varying: ['bytesRead', 'bytesWritten'],
    run: async (recorder) => {
      const server = await listening(
        watchedServer(recorder, async ({ response }) => {
          response.setHeader('content-length', SAMPLE_SIZES['20m']);
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          stream.pipe(response);
          if (response.socket !== null) await untilBlocked(response.socket);
          recorder.note('while blocked', {
            flowing: stream.readableFlowing,
            needDrain: response.writableNeedDrain,
            ended: stream.readableEnded,
          });
          await act(recorder, stream, response);
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      const received = await client.all;
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
      recorder.note('received', digest(body));
      server.close();
    },
  };
}

/** Write the rest of a stream to a response, chunk by chunk. */
async function iterate(recorder: Recorder, stream: ReadStream, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    if (!response.write(chunk)) await new Promise<void>((resolve) => response.once('drain', resolve));
  }
  const rest = Buffer.concat(chunks);
  recorder.note('the iterator got the rest', rest.length > 0 && isSuffix(rest, '20m'));
  response.end();
}

export const scenarios = fileScenarios({
  "a 'data' listener beside the pipe": beside({ original: { 'other-consumer': 1 } }, (recorder, stream) =>
    hashInto(recorder, 'hash', stream),
  ),

  "a 'data' listener added after pipe()": {
    travel: { original: { 'other-consumer': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        stream.pipe(response);
        hashInto(recorder, 'hash', stream);
      }),
  },

  "a 'data' listener added when the file is open": {
    travel: { original: { 'other-consumer': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        stream.pipe(response);
        stream.on('open', () => hashInto(recorder, 'hash', stream));
      }),
  },

  'a second pipe, into a hash': beside({ original: {} }, (recorder, stream) => {
    const copy = new PassThrough();
    stream.pipe(copy);
    hashInto(recorder, 'hash', copy);
  }),

  'a second pipe, set up after the first': {
    travel: { original: {} },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        stream.pipe(response);
        const copy = new PassThrough();
        stream.pipe(copy);
        hashInto(recorder, 'hash', copy);
      }),
  },

  "a 'readable' listener that reads beside the pipe": beside(
    { original: { 'other-consumer': 1 } },
    (recorder, stream, response) => {
      let bytes = 0;
      stream.on('readable', () => {
        for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) bytes += (chunk as Buffer).length;
      });
      stream.on('end', () => {
        recorder.note('read', bytes);
        response.end();
      });
    },
    '100k',
  ),

  'an emit of the stream that looks at the data': beside({ original: { 'patched-stream': 1 } }, (recorder, stream) => {
    const { emit } = stream;
    let bytes = 0;
    stream.emit = (event: string, ...args: unknown[]) => {
      if (event === 'data') bytes += (args[0] as Buffer).length;
      return Reflect.apply(emit, stream, [event, ...args]);
    };
    stream.on('end', () => recorder.note('seen', bytes));
  }),

  'a stream that is unpiped at once': {
    travel: { original: {} },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k')));
        stream.pipe(response);
        stream.unpipe(response);
        await until(() => stream.readableLength > 0);
        response.end('nothing\n');
        stream.destroy();
      }),
  },

  'a stream that is unpiped when the file is open, and piped again': {
    // What was buffered meanwhile goes first. Up to Node 24 that is while the next read is asked for, which is then Node's and
    // counted; Node 26.12 has emptied the buffer by then, and all that follows is rerouted.
    travel: { mixed: {} },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        stream.pipe(response);
        stream.on('open', () => stream.unpipe());
        await until(() => stream.readableLength > 0);
        response.write('meanwhile\n');
        stream.pipe(response);
      }),
  },

  "a 'data' listener that comes in mid-flow": inMidFlow({ mixed: { 'other-consumer': 1 } }, (recorder, stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    stream.on('end', () => {
      const rest = Buffer.concat(chunks);
      recorder.note('the listener got the rest', rest.length > 0 && isSuffix(rest, '20m'));
    });
  }),

  'a second pipe that comes in mid-flow': inMidFlow({ mixed: {} }, (recorder, stream) => {
    const copy = stream.pipe(new PassThrough());
    const chunks: Buffer[] = [];
    copy.on('data', (chunk: Buffer) => chunks.push(chunk));
    copy.on('end', () => {
      const rest = Buffer.concat(chunks);
      recorder.note('the copy is the rest', rest.length > 0 && isSuffix(rest, '20m'));
    });
  }),

  "a 'readable' listener that comes in mid-flow, and reads": inMidFlow({ mixed: {} }, (recorder, stream) => {
    const chunks: Buffer[] = [];
    stream.on('readable', () => {
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(Buffer.from(chunk));
    });
    stream.on('end', () => {
      const rest = Buffer.concat(chunks);
      recorder.note('the listener got the rest', rest.length > 0 && isSuffix(rest, '20m'));
    });
  }),

  'an encoding that is set in mid-flow': {
    travel: { mixed: {} },
    varying: ['bytesRead', 'bytesWritten', 'response-1 sent'],
    run: async (recorder) => {
      const server = await listening(
        watchedServer(recorder, async ({ response }) => {
          // Without a length, as the body becomes longer: its end is that of the connection.
          response.useChunkedEncodingByDefault = false;
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          stream.pipe(response);
          if (response.socket !== null) await untilBlocked(response.socket);
          stream.setEncoding('hex');
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      const received = await client.all;
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
      // What was read before went as it is, and each byte after it as two letters.
      const before = 2 * SAMPLE_SIZES['20m'] - body.length;
      const rest = Buffer.from(body.subarray(before).toString('latin1'), 'hex');
      recorder.note('it is set in between', before > 0 && rest.length > 0);
      recorder.note('received', digest(body.subarray(0, before), rest));
      server.close();
    },
  },

  'a write of the app in mid-flow': {
    travel: { rerouted: 1 },
    varying: ['bytesRead', 'bytesWritten'],
    run: async (recorder) => {
      const marker = Buffer.from('-- written by the app --');
      const server = await listening(
        watchedServer(recorder, async ({ response }) => {
          response.setHeader('content-length', SAMPLE_SIZES['20m'] + marker.length);
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          response.once('drain', () => recorder.event('app', 'drain'));
          stream.pipe(response);
          if (response.socket !== null) await untilBlocked(response.socket);
          response.write(marker, () => recorder.event('app', 'is written'));
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      const received = await client.all;
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
      const at = body.indexOf(marker);
      recorder.note('around it', digest(body.subarray(0, at), body.subarray(at + marker.length)));
      recorder.note('it stands in between', at > 0 && at < SAMPLE_SIZES['20m']);
      server.close();
    },
  },

  'a stream that is unpiped in mid-flow and piped again': inMidFlow(
    { rerouted: 1 },
    async (recorder, stream, response) => {
      stream.unpipe(response);
      recorder.note('after unpipe', { flowing: stream.readableFlowing, listeners: stream.listenerCount('data') });
      await pause(20);
      stream.pipe(response);
    },
  ),

  'a stream that is paused and resumed in mid-flow': inMidFlow({ rerouted: 1 }, async (recorder, stream) => {
    stream.pause();
    recorder.note('after pause', { flowing: stream.readableFlowing, paused: stream.isPaused() });
    await pause(20);
    stream.resume();
  }),

  'a stream that is taken over by an async iterator in mid-flow': inMidFlow(
    { mixed: {} },
    (recorder, stream, response) => {
      stream.unpipe(response);
      void iterate(recorder, stream, response);
    },
  ),
});
