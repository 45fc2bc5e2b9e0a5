import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type ClientRequest, createServer as createHttpServer, request as httpRequest } from 'node:http';
import { connect, createServer, type LookupFunction, Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES, type SampleName } from '../../../support/files/sample-files.js';
import type { Recorder } from '../../harness/recorder.js';
import { listening, openClient, portOf, talk, until, untilBlocked } from '../exchange.js';
import { isPrefix, samplePath } from '../samples.js';
import { type FileScenarios, fileScenarios } from '../scenario.js';
import { watchSocket, watchStream, watchWritable } from '../watch.js';

/** Serves one connection of a plain server, and records what the client received. */
async function connection(
  recorder: Recorder,
  onSocket: (socket: Socket) => unknown,
  { path, text = '' }: { path?: string; text?: string } = {},
): Promise<void> {
  const server = createServer((socket) => {
    recorder.within('connection', () => onSocket(watchSocket(recorder, 'socket', socket)));
  });
  await listening(server, path);
  recorder.note('received', digest(await talk(recorder, path ?? portOf(server), text)));
  server.close();
}

function pipeFile(recorder: Recorder, socket: Socket, name: SampleName): void {
  watchStream(recorder, 'stream', createReadStream(samplePath(name))).pipe(socket);
}

/** A server that records what one client sends. */
async function uploadServer(recorder: Recorder) {
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = request.rawHeaders.filter((text) => !text.startsWith('localhost'));
      recorder.note('uploaded', { headers, body: digest(Buffer.concat(chunks)) });
      response.end('thank you\n');
    });
  });
  return listening(server);
}

async function upload(
  recorder: Recorder,
  headers: Record<string, string | number>,
  send: (to: ClientRequest) => unknown,
) {
  const server = await uploadServer(recorder);
  const options = { port: portOf(server), host: 'localhost', family: 4, method: 'POST', headers, agent: false };
  await recorder.within('upload', async () => {
    const client = httpRequest(options);
    watchWritable(recorder, 'client', client);
    send(client);
    const [response] = await once(client, 'response');
    response.resume();
    await once(response, 'end');
  });
  server.close();
}

function sizes(): FileScenarios {
  const ofSize = (name: SampleName): FileScenarios[string] => ({
    travel: SAMPLE_SIZES[name] === 0 ? { original: { 'empty-file': 1 } } : { rerouted: 1 },
    run: (recorder) => connection(recorder, (socket) => pipeFile(recorder, socket, name)),
  });
  const names = ['0', '1', '100', '10k', '64k', '64k-and-1', '1m', '1m-and-1', '20m'] as const;
  return Object.fromEntries(names.map((name) => [`a file of ${name} bytes piped to a plain socket`, ofSize(name)]));
}

export const scenarios = fileScenarios({
  ...sizes(),

  'a file piped to a Unix socket': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      connection(recorder, (socket) => pipeFile(recorder, socket, '3m'), {
        path: join(process.cwd(), `s-${process.pid}`),
      }),
  },

  'a file that a pipeline sends to a socket': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      connection(recorder, async (socket) => {
        await pipeline(watchStream(recorder, 'stream', createReadStream(samplePath('1m'))), socket);
        recorder.event('pipeline', 'is done');
      }),
  },

  'a file between other writes to a socket': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      connection(recorder, (socket) => {
        socket.write('before\n', () => recorder.event('before', 'is written'));
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
        stream.on('end', () => {
          socket.write('ü', 'latin1', () => recorder.event('after', 'is written'));
          socket.end('6166746572', 'hex', () => recorder.event('end', 'is written'));
        });
        stream.pipe(socket, { end: false });
      }),
  },

  'an empty file between other writes to a socket': {
    travel: { original: { 'empty-file': 1 } },
    run: (recorder) =>
      connection(recorder, (socket) => {
        socket.write('before\n');
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('0')));
        stream.on('end', () => socket.end('after\n'));
        stream.pipe(socket, { end: false });
      }),
  },

  'a corked socket': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      connection(recorder, (socket) => {
        socket.cork();
        socket.write('corked\n');
        const stream = watchStream(recorder, 'stream', createReadStream(samplePath('10k')));
        stream.on('end', () => setTimeout(() => socket.uncork(), 5));
        stream.pipe(socket);
      }),
  },

  'a socket whose other half is still being read': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        watchSocket(recorder, 'socket', socket);
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => recorder.note('sent by the client', digest(Buffer.concat(chunks))));
        pipeFile(recorder, socket, '1m');
      });
      await listening(server);
      const client = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
      const chunks: Buffer[] = [];
      client.on('data', (chunk) => chunks.push(chunk));
      client.write(Buffer.alloc(3 << 20, 'x'));
      client.once('end', () => client.end());
      await once(client, 'close');
      recorder.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a file piped back and forth, echoed by the server': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        watchSocket(recorder, 'socket', socket);
        socket.pipe(socket);
      });
      await listening(server);
      const client = watchSocket(recorder, 'client', connect(portOf(server), '127.0.0.1'));
      const chunks: Buffer[] = [];
      client.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(client, 'connect');
      pipeFile(recorder, client, '3m');
      await once(client, 'close');
      recorder.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a socket that is still connecting': {
    travel: { mixed: { 'destination-not-ready': 1 } },
    run: async (recorder) => {
      const received: Buffer[] = [];
      const server = await listening(createServer((socket) => socket.on('data', (chunk) => received.push(chunk))));
      let answer = (): void => undefined;
      const lookup: LookupFunction = (_host, _options, callback) => {
        answer = () => callback(null, '127.0.0.1', 4);
      };
      const client = connect({ port: portOf(server), host: 'localhost', family: 4, lookup });
      watchSocket(recorder, 'socket', client);
      const stream = watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1')));
      stream.pipe(client);
      // The file has been opened and read from.
      await until(() => client.writableNeedDrain && stream.readableLength > 0);
      answer();
      await once(client, 'close');
      recorder.note('received', digest(Buffer.concat(received)));
      server.close();
    },
  },

  'a socket that nobody reads from for a while': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = await listening(
        createServer(async (socket) => {
          watchSocket(recorder, 'socket', socket);
          pipeFile(recorder, socket, '20m');
          await untilBlocked(socket);
          recorder.note('while blocked', {
            needDrain: socket.writableNeedDrain,
            ended: socket.writableEnded,
            // Applications hold back by it. How much is in it differs with the size of the pieces.
            hasLength: socket.writableLength > 0 && socket.writableLength < 2 << 20,
          });
          client.read();
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      recorder.note('received', digest(await client.all));
      server.close();
    },
  },

  'the standard input of a child process, which is a Unix socket': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      // With a listener, all hooks are in place.
      const server = await listening(createServer());
      const child = spawn('cat', [], { stdio: ['pipe', 'pipe', 'inherit'] });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      watchSocket(recorder, 'stdin', child.stdin as Socket);
      watchStream(recorder, 'stream', createReadStream(samplePath('3m'))).pipe(child.stdin);
      await once(child, 'close');
      recorder.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a socket of a subclass that overrides write': {
    travel: { original: { 'tls-or-wrapped-socket': 1 } },
    run: async (recorder) => {
      class Shouting extends Socket {
        override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
          super._write(Buffer.from(chunk.map((byte) => byte ^ 0xff)), encoding, callback);
        }
      }
      const received: Buffer[] = [];
      const server = await listening(createServer((socket) => socket.on('data', (chunk) => received.push(chunk))));
      const client = new Shouting();
      client.connect(portOf(server), '127.0.0.1');
      await once(client, 'connect');
      pipeFile(recorder, client, '100k');
      await once(client, 'close');
      recorder.note('received', digest(Buffer.concat(received)));
      server.close();
    },
  },

  'a slow reader, and a socket timeout that it never reaches': {
    travel: { rerouted: 1 },
    run: async (recorder) => {
      const server = await listening(
        createServer((socket) => {
          watchSocket(recorder, 'socket', socket);
          socket.setTimeout(1500, () => socket.destroy());
          pipeFile(recorder, socket, '20m');
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      const ticker = setInterval(() => {
        // It has read something, or it has not begun.
        if (!client.socket.isPaused()) return;
        client.socket.once('data', () => client.socket.pause());
        client.read();
      }, 4);
      recorder.note('received', digest(await client.all));
      clearInterval(ticker);
      server.close();
    },
  },

  'a reader that stops, and the socket timeout that ends it': {
    travel: { mixed: {} },
    varying: ['bytesRead', 'bytesWritten', 'length'],
    run: async (recorder) => {
      const server = await listening(
        createServer((socket) => {
          watchSocket(recorder, 'socket', socket);
          socket.setTimeout(250, () => socket.destroy());
          const stream = watchStream(recorder, 'stream', createReadStream(samplePath('20m')));
          socket.on('close', () => {
            stream.destroy();
            server.emit('end of the socket');
          });
          stream.pipe(socket);
        }),
      );
      const client = openClient(recorder, portOf(server), '');
      await once(server, 'end of the socket');
      client.read();
      const received = await client.all;
      recorder.note('is a part of the file', received.length > 0 && isPrefix(received, '20m'));
      recorder.note('is less than the file', received.length < SAMPLE_SIZES['20m']);
      server.close();
    },
  },

  'the chunked body of a client request': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (recorder) =>
      upload(recorder, {}, (client) => {
        watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1'))).pipe(client);
      }),
  },

  'the body of a client request with a Content-Length': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (recorder) =>
      upload(recorder, { 'content-length': SAMPLE_SIZES['1m-and-1'] }, (client) =>
        pipeline(watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1'))), client),
      ),
  },
});
