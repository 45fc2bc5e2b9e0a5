import { createReadStream, readFileSync } from 'node:fs';
import { OutgoingMessage, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer, get as getHttps } from 'node:https';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { createGunzip, createGzip } from 'node:zlib';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES } from '../../../support/files/sample-files.js';
import type { Recorder } from '../../harness/recorder.js';
import { exchange, listening, portOf, talk } from '../exchange.js';
import { besideSamples, samplePath } from '../samples.js';
import { fileScenarios } from '../scenario.js';
import { watchResponse, watchStream, watchWritable } from '../watch.js';

type Write = (this: unknown, chunk: unknown, ...rest: unknown[]) => boolean;

/** Replace a method the way loggers, agents and middleware do. */
function wrap(object: object, method: string, make: (original: Write) => Write): void {
  Reflect.set(object, method, make(Reflect.get(object, method) as Write));
}

/** A method that counts the bytes that pass through it, and passes them on. */
function counting(recorder: Recorder, note: string): (original: Write) => Write {
  let bytes = 0;
  recorder.noteAtEnd(note, () => bytes);
  return (original) =>
    function (chunk, ...rest) {
      if (typeof chunk === 'object' && chunk !== null) bytes += Buffer.from(chunk as Buffer).filter(Boolean).length;
      return Reflect.apply(original, this, [chunk, ...rest]);
    };
}

function passing(original: Write): Write {
  return function (...args) {
    return Reflect.apply(original, this, args);
  };
}

function pipeFile<W extends NodeJS.WritableStream>(recorder: Recorder, destination: W): W {
  return watchStream(recorder, 'stream', createReadStream(samplePath('100k'))).pipe(destination);
}

/** What middleware for compression does: put gzip between the app's writes and the response's own. */
function compress(response: ServerResponse): void {
  const gzip = createGzip();
  const { write, end } = response;
  gzip.on('drain', () => response.emit('drain'));
  gzip.on('data', (chunk) => Reflect.apply(write, response, [chunk]));
  gzip.on('end', () => Reflect.apply(end, response, []));
  response.setHeader('content-encoding', 'gzip');
  response.write = (chunk: Buffer) => gzip.write(chunk);
  response.end = (() => {
    gzip.end();
    return response;
  }) as ServerResponse['end'];
}

/** The test has made the certificate beside the sample files. */
const certificate = (): { key: Buffer; cert: Buffer } => ({
  key: readFileSync(besideSamples('key.pem')),
  cert: readFileSync(besideSamples('cert.pem')),
});

export const scenarios = fileScenarios({
  'a response whose write is wrapped by a compression': {
    travel: { original: { 'patched-response': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        compress(response);
        pipeFile(recorder, response);
      }),
  },

  'a response whose write is wrapped after pipe()': {
    travel: { original: { 'patched-response': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        pipeFile(recorder, response);
        wrap(response, 'write', counting(recorder, 'counted'));
      }),
  },

  'a response whose _send is wrapped': {
    travel: { original: { 'patched-response': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        wrap(
          response,
          '_send',
          (original) =>
            function (...args) {
              recorder.event('app', '_send');
              return Reflect.apply(original, this, args);
            },
        );
        response.setHeader('content-length', SAMPLE_SIZES['100k']);
        pipeFile(recorder, response);
      }),
  },

  'the prototype of all messages, patched by an agent': {
    travel: { original: { 'patched-response': 1 } },
    run: async (recorder) => {
      wrap(OutgoingMessage.prototype, 'write', counting(recorder, 'counted'));
      await exchange(recorder, ({ response }) => pipeFile(recorder, response));
    },
  },

  'the prototype of all duplex streams, patched by an agent': {
    travel: { original: { 'patched-socket': 1 } },
    run: async (recorder) => {
      wrap(Duplex.prototype, 'write', counting(recorder, 'counted'));
      await exchange(recorder, ({ response }) => {
        response.setHeader('content-length', SAMPLE_SIZES['100k']);
        pipeFile(recorder, response);
      });
    },
  },

  'the prototype of all sockets, patched by an agent': {
    travel: { original: { 'patched-socket': 1 } },
    run: async (recorder) => {
      wrap(Socket.prototype, '_write', counting(recorder, 'counted'));
      await exchange(recorder, ({ response }) => {
        response.setHeader('content-length', SAMPLE_SIZES['100k']);
        pipeFile(recorder, response);
      });
    },
  },

  'the lowest write of all sockets, patched by an agent that was there first': {
    travel: { original: {} },
    run: async (recorder) => {
      wrap(Socket.prototype, '_writeGeneric', passing);
      await exchange(recorder, ({ response }) => pipeFile(recorder, response));
    },
  },

  'the lowest write of all sockets, patched by an agent that comes later': {
    travel: { original: { 'patched-socket': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        wrap(Socket.prototype, '_writeGeneric', passing);
        pipeFile(recorder, response);
      }),
  },

  'a socket whose write is wrapped': {
    travel: { original: { 'patched-socket': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        if (response.socket !== null) wrap(response.socket, 'write', counting(recorder, 'counted'));
        pipeFile(recorder, response);
      }),
  },

  'a response with a prototype of a framework in between': {
    travel: { rerouted: 1 },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const prototype = Object.create(Object.getPrototypeOf(response));
        prototype.sendFile = function (this: ServerResponse) {
          pipeFile(recorder, this);
        };
        Object.setPrototypeOf(response, prototype);
        Reflect.get(response, 'sendFile').call(response);
      }),
  },

  'a framework whose prototype overrides write': {
    travel: { original: { 'patched-response': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        const prototype = Object.create(Object.getPrototypeOf(response));
        wrap(prototype, 'write', counting(recorder, 'counted'));
        Object.setPrototypeOf(response, prototype);
        pipeFile(recorder, response);
      }),
  },

  'a gzip between file and response': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (recorder) =>
      exchange(recorder, ({ response }) => {
        pipeFile(recorder, createGzip()).pipe(response);
      }),
  },

  'a transform between file and response, in a pipeline': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (recorder) =>
      exchange(recorder, async ({ response }) => {
        const inverting = new Transform({
          transform: (chunk: Buffer, _encoding, callback) =>
            callback(
              null,
              chunk.map((byte) => byte ^ 0xff),
            ),
        });
        await pipeline(watchStream(recorder, 'stream', createReadStream(samplePath('100k'))), inverting, response);
      }),
  },

  'a PassThrough': {
    travel: { original: {} },
    run: async (recorder) => {
      const chunks: Buffer[] = [];
      for await (const chunk of pipeFile(recorder, new PassThrough())) chunks.push(chunk);
      recorder.note('received', digest(Buffer.concat(chunks)));
    },
  },

  'a pipe that gunzips': {
    travel: { original: {} },
    run: async (recorder) => {
      const gunzip = createGunzip();
      gunzip.on('error', (error: NodeJS.ErrnoException) => recorder.event('gunzip', 'error', error.code));
      pipeFile(recorder, gunzip);
    },
  },

  'the standard output, which is a pipe here': {
    travel: { original: { stdio: 1 } },
    run: async (recorder) => {
      // Without a socket there would be no hooks at all.
      const server = await listening(createServer());
      server.close();
      pipeFile(recorder, process.stdout);
    },
  },

  'the response of an http2 server': {
    travel: { original: { 'not-a-socket': 1 } },
    run: async (recorder) => {
      const server = createHttp2Server((_request, response) => {
        watchWritable(recorder, 'http2', response);
        pipeFile(recorder, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const chunks: Buffer[] = [];
      for await (const chunk of session.request()) chunks.push(chunk as Buffer);
      recorder.note('received', digest(Buffer.concat(chunks)));
      session.close();
      server.close();
    },
  },

  'the response of an https server': {
    travel: { original: { 'tls-or-wrapped-socket': 1 } },
    run: async (recorder) => {
      const server = await listening(
        createHttpsServer(certificate(), (_request, response) => {
          watchResponse(recorder, 'response', response);
          pipeFile(recorder, response);
        }),
      );
      const options = { port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false, agent: false };
      const chunks: Buffer[] = [];
      await new Promise<void>((resolve) => {
        getHttps(options, (incoming) => {
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', resolve);
        });
      });
      recorder.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a TLS socket': {
    travel: { original: { 'tls-or-wrapped-socket': 1 } },
    run: async (recorder) => {
      const server = await listening(createTlsServer(certificate(), (socket) => pipeFile(recorder, socket)));
      const client = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      recorder.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a write stream into a file': {
    travel: { original: {} },
    run: async (recorder) => {
      const { createWriteStream } = await import('node:fs');
      const copy = join(process.cwd(), `written-${process.pid}`);
      await pipeline(watchStream(recorder, 'stream', createReadStream(samplePath('1m'))), createWriteStream(copy));
      recorder.note('written', digest(readFileSync(copy)));
    },
  },

  'a plain socket below a Duplex that an app pipes into': {
    travel: { original: { 'not-a-socket': 1 } },
    run: async (recorder) => {
      const server = await listening(
        createServer((socket) => {
          const outer = new Writable({
            write: (chunk, encoding, callback) => void socket.write(chunk, encoding, callback),
            final: (callback) => void socket.end(callback),
          });
          pipeFile(recorder, outer);
        }),
      );
      recorder.note('received', digest(await talk(recorder, portOf(server), '')));
      server.close();
    },
  },
});
