import { closeSync, createReadStream, openSync, type ReadStream } from 'node:fs';
import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { pipeline as pipelinePromise } from 'node:stream/promises';
import { SAMPLE_SIZES } from '../../../support/files/sample-files.js';
import { openDescriptors } from '../../../support/test-run/descriptors.js';
import { turns } from '../../../support/turns.js';
import { describeError, type Recorder } from '../../harness/recorder.js';
import {
  type Client,
  lastRequest,
  listening,
  openClient,
  pause,
  portOf,
  until,
  untilBlocked,
  watchedServer,
} from '../exchange.js';
import { isPrefix, samplePath } from '../samples.js';
import { type FileScenario, fileScenarios } from '../scenario.js';
import { watchSocket, watchStream } from '../watch.js';

interface Situation {
  readonly recorder: Recorder;
  readonly stream: ReadStream;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly server: Server;
}

interface Break {
  /** How the file gets to the response. */
  readonly send?: (situation: Situation) => void;
  /** What breaks it off. */
  readonly act: (situation: Situation) => unknown;
  readonly streamOptions?: object;
}

/**
 * Send 20 MB to a client that does not read; when the socket takes no more, break it off, and then let the client read what
 * there is: nothing that is not of the file, and nothing beyond what the socket had.
 */
function brokenOff({
  send = ({ stream, response }) => stream.pipe(response),
  act,
  streamOptions,
}: Break): FileScenario {
  return {
    travel: { mixed: {} },
    varying: ['bytesRead', 'bytesWritten', 'length'],
    run: async (recorder) => {
      const server: Server = await listening(
        watchedServer(recorder, async ({ response }) => {
          response.setHeader('content-length', SAMPLE_SIZES['20m']);
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m'), streamOptions));
          const situation = { recorder, stream, response, client, server };
          send(situation);
          if (response.socket !== null) await untilBlocked(response.socket);
          await act(situation);
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      const received = await client.all;
      const body = received.subarray(received.indexOf('\r\n\r\n') + 4);
      recorder.note('received', {
        isOfTheFile: isPrefix(body, '20m'),
        isWhole: body.length === SAMPLE_SIZES['20m'],
      });
      server.close();
    },
  };
}

const viaPipeline = ({ recorder, stream, response }: Situation): void =>
  void pipeline(stream, response, (error) => recorder.event('pipeline', 'is done', describeError(error)));

/** Opens a file so often that it gets every free descriptor: a number that was kept now means this file. */
function takeDescriptors(path: string): () => void {
  const descriptors = Array.from({ length: 20 }, () => openSync(path, 'r'));
  return () => {
    for (const fd of descriptors) closeSync(fd);
  };
}

/** 30 clients, one after the other, that leave when they have read a little. The number of descriptors that stay open is compared. */
function manyGoAway(
  send: (stream: ReadStream, response: ServerResponse) => void,
  leave: (client: Client) => void,
): FileScenario {
  return {
    travel: { mixed: {} },
    run: async (recorder) => {
      let closed = 0;
      let answered = 0;
      const server = await listening(
        watchedServer(
          recorder,
          ({ response }) => {
            answered++;
            response.on('close', () => closed++);
            send(createReadStream(samplePath('20m')), response);
          },
          {},
          undefined,
          false,
        ),
      );
      const before = openDescriptors();
      for (let index = 0; index < 30; index++) {
        const client = openClient(recorder, portOf(server), lastRequest(), 'clients');
        client.read();
        await until(() => client.received().length > 0);
        leave(client);
        await until(() => closed === answered);
      }
      // What is being closed in the thread pool is closed by then.
      let open = -1;
      while (open !== openDescriptors()) {
        open = openDescriptors();
        await turns();
      }
      recorder.note('descriptors that stay open', open - before);
      server.close();
    },
  };
}

export const scenarios = fileScenarios({
  // Stock Node leaves the descriptor of each of these streams open.
  'many clients that go away from a pipe': manyGoAway(
    (stream, response) => void stream.pipe(response),
    (client) => void client.socket.destroy(),
  ),

  'many clients that go away from a pipeline': manyGoAway(
    (stream, response) => void pipeline(stream, response, () => undefined),
    (client) => void client.socket.destroy(),
  ),

  'many clients that reset the connection of a pipeline': manyGoAway(
    (stream, response) => void pipeline(stream, response, () => undefined),
    (client) => void client.socket.resetAndDestroy(),
  ),

  'a stream that is destroyed while another file gets its descriptor': brokenOff({
    act: async ({ stream, response }) => {
      stream.destroy();
      await until(() => stream.closed);
      const release = takeDescriptors(samplePath('1m'));
      response.on('close', release);
      setTimeout(() => response.destroy(), 100);
    },
  }),

  'a stream that is destroyed with an error': brokenOff({
    act: ({ stream, response }) => {
      stream.on('error', () => response.destroy());
      stream.destroy(new Error('enough'));
    },
  }),

  'a pipeline whose stream is destroyed': brokenOff({
    send: viaPipeline,
    act: ({ stream }) => void stream.destroy(),
  }),

  'a pipeline whose stream is destroyed with an error': brokenOff({
    send: viaPipeline,
    act: ({ stream }) => void stream.destroy(new Error('enough')),
  }),

  'a response that is destroyed, and its stream with it': brokenOff({
    act: ({ stream, response }) => {
      response.on('close', () => stream.destroy());
      response.destroy();
    },
  }),

  'a response that is destroyed, and its stream left as it is': brokenOff({
    act: ({ response }) => void response.destroy(),
  }),

  'a pipeline whose response is destroyed': brokenOff({
    send: viaPipeline,
    act: ({ response }) => void response.destroy(),
  }),

  'a socket that is destroyed with an error below a pipeline': brokenOff({
    send: viaPipeline,
    act: ({ response }) => void response.socket?.destroy(new Error('enough')),
  }),

  'a socket that is reset': brokenOff({
    send: viaPipeline,
    act: ({ response }) => void response.socket?.resetAndDestroy(),
  }),

  'a client that goes away from a pipe': brokenOff({
    act: async ({ client, response }) => {
      client.socket.destroy();
      await until(() => response.destroyed);
    },
  }),

  'a client that goes away from a pipeline': brokenOff({
    send: viaPipeline,
    act: async ({ client, response, stream }) => {
      client.socket.destroy();
      await until(() => response.destroyed && stream.closed);
    },
  }),

  'a client that resets the connection': brokenOff({
    send: viaPipeline,
    act: async ({ client, response, stream }) => {
      client.socket.resetAndDestroy();
      await until(() => response.destroyed && stream.closed);
    },
  }),

  'a server that closes all its connections': brokenOff({
    send: viaPipeline,
    act: ({ server }) => server.closeAllConnections(),
  }),

  'a response with a timeout, and a client that does not read': brokenOff({
    act: async ({ stream, response }) => {
      response.on('close', () => stream.destroy());
      response.setTimeout(150, () => response.destroy());
      await until(() => stream.closed);
    },
  }),

  'a server with a timeout, and a client that does not read': brokenOff({
    send: viaPipeline,
    act: async ({ stream, response }) => {
      // As the timeout of http.Server does, which counts from the beginning.
      response.socket?.setTimeout(150);
      await until(() => stream.closed);
    },
  }),

  'a stream with an AbortSignal that is aborted': (() => {
    const controller = new AbortController();
    return brokenOff({
      streamOptions: { signal: controller.signal },
      act: ({ stream, response }) => {
        stream.on('error', () => response.destroy());
        controller.abort();
      },
    });
  })(),

  'a pipeline with an AbortSignal that is aborted': (() => {
    const controller = new AbortController();
    return brokenOff({
      send: ({ recorder, stream, response }) => {
        // Which of the two streams it hears of first, and so which error it has, is a matter of luck in stock Node 24 too.
        pipelinePromise(stream, response, { signal: controller.signal }).catch(() =>
          recorder.event('pipeline', 'failed'),
        );
      },
      act: () => controller.abort(),
    });
  })(),

  'a stream with an AbortSignal that was aborted before': {
    travel: { original: {} },
    run: async (recorder) => {
      const server = await listening(
        watchedServer(recorder, ({ response }) => {
          const options = { signal: AbortSignal.abort() };
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('100k'), options));
          stream.on('error', () => response.end('aborted\n'));
          stream.pipe(response);
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      client.read();
      recorder.note('received', (await client.all).toString().replace(/Date: .*/, ''));
      server.close();
    },
  },

  'a stream that is unpiped in mid-flow, so that no more bytes follow': {
    travel: { mixed: {} },
    varying: ['bytesRead', 'bytesWritten', 'length'],
    run: async (recorder) => {
      const server = await listening(
        createServer(async (socket) => {
          watchSocket(recorder, 'socket', socket);
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          stream.pipe(socket);
          await untilBlocked(socket);
          stream.unpipe(socket);
          const accepted = socket.bytesWritten;
          client.read();
          await until(() => socket.writableLength === 0);
          await pause(50);
          // What has been handed to the socket still goes, and no more: a chunk, or a window.
          recorder.note('little was written after', socket.bytesWritten - accepted < 2 << 20);
          socket.end('the end\n');
          stream.destroy();
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      const received = await client.all;
      const ofTheFile = received.subarray(0, -8);
      recorder.note('received', {
        isOfTheFile: ofTheFile.length > 0 && isPrefix(ofTheFile, '20m'),
        isWhole: ofTheFile.length === SAMPLE_SIZES['20m'],
        end: received.subarray(-8).toString(),
      });
      server.close();
    },
  },

  'a stream that is paused while the client reads, so that no more bytes follow': {
    travel: { mixed: {} },
    run: async (recorder) => {
      const server = await listening(
        createServer(async (socket) => {
          watchSocket(recorder, 'socket', socket);
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          stream.pipe(socket);
          // Looked for at every turn of the event loop: all of the file would have gone in a few of them.
          while (client.received().length === 0) await new Promise(setImmediate);
          stream.pause();
          await until(() => socket.writableLength === 0);
          // What is in the kernel's buffers by now still comes; on a busy machine that takes its time.
          let before: number;
          do {
            before = client.received().length;
            await pause(100);
          } while (client.received().length !== before);
          recorder.note('it stands still', before < SAMPLE_SIZES['20m']);
          stream.resume();
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      client.read();
      const received = await client.all;
      recorder.note('the client has all', received.length === 20 << 20 && isPrefix(received, '20m'));
      server.close();
    },
  },

  'an exception in a listener of the stream': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      process.once('uncaughtException', (error) =>
        recorder.event('process', 'uncaughtException', describeError(error)),
      );
      const server = await listening(
        watchedServer(recorder, ({ response }) => {
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
          response.setHeader('content-length', SAMPLE_SIZES['1m-and-1']);
          stream.pipe(response);
          stream.on('end', () => {
            throw new Error('from a listener');
          });
        }),
      );
      const client = openClient(recorder, portOf(server), lastRequest());
      client.read();
      recorder.note('received', (await client.all).length > 1 << 20);
      server.close();
    },
  },
});
