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
import type { Witness } from '../../harness/recorder.js';
import { exchange, listening, portOf, talk } from '../exchange.js';
import type { Cases } from '../scenario.js';

type Write = (this: unknown, chunk: unknown, ...rest: unknown[]) => boolean;

/** Replace a method the way loggers, agents and middleware do. */
function wrap(object: object, method: string, make: (original: Write) => Write): void {
  Reflect.set(object, method, make(Reflect.get(object, method) as Write));
}

/** A method that counts the bytes that pass through it, and passes them on. */
function counting(witness: Witness, note: string): (original: Write) => Write {
  let bytes = 0;
  witness.atEnd(note, () => bytes);
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

function pipeFile<W extends NodeJS.WritableStream>(witness: Witness, destination: W): W {
  return witness.stream('stream', createReadStream(witness.sample('100k'))).pipe(destination);
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

const samples = (witness: Witness, name: string): string => join(witness.sample('1'), '..', name);

const certificate = (witness: Witness): { key: Buffer; cert: Buffer } => ({
  key: readFileSync(samples(witness, 'key.pem')),
  cert: readFileSync(samples(witness, 'cert.pem')),
});

export const cases: Cases = {
  'a response whose write is wrapped by a compression': {
    travel: { original: { 'patched-response': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        compress(response);
        pipeFile(witness, response);
      }),
  },

  'a response whose write is wrapped after pipe()': {
    travel: { original: { 'patched-response': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        pipeFile(witness, response);
        wrap(response, 'write', counting(witness, 'counted'));
      }),
  },

  'a response whose _send is wrapped': {
    travel: { original: { 'patched-response': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        wrap(
          response,
          '_send',
          (original) =>
            function (...args) {
              witness.event('app', '_send');
              return Reflect.apply(original, this, args);
            },
        );
        response.setHeader('content-length', witness.sizeOf('100k'));
        pipeFile(witness, response);
      }),
  },

  'the prototype of all messages, patched by an agent': {
    travel: { original: { 'patched-response': 1 } },
    run: async (witness) => {
      wrap(OutgoingMessage.prototype, 'write', counting(witness, 'counted'));
      await exchange(witness, ({ response }) => pipeFile(witness, response));
    },
  },

  'the prototype of all duplex streams, patched by an agent': {
    travel: { original: { 'patched-socket': 1 } },
    run: async (witness) => {
      wrap(Duplex.prototype, 'write', counting(witness, 'counted'));
      await exchange(witness, ({ response }) => {
        response.setHeader('content-length', witness.sizeOf('100k'));
        pipeFile(witness, response);
      });
    },
  },

  'the prototype of all sockets, patched by an agent': {
    travel: { original: { 'patched-socket': 1 } },
    run: async (witness) => {
      wrap(Socket.prototype, '_write', counting(witness, 'counted'));
      await exchange(witness, ({ response }) => {
        response.setHeader('content-length', witness.sizeOf('100k'));
        pipeFile(witness, response);
      });
    },
  },

  'the lowest write of all sockets, patched by an agent that was there first': {
    travel: { original: {} },
    run: async (witness) => {
      wrap(Socket.prototype, '_writeGeneric', passing);
      await exchange(witness, ({ response }) => pipeFile(witness, response));
    },
  },

  'the lowest write of all sockets, patched by an agent that comes later': {
    travel: { original: { 'patched-socket': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        wrap(Socket.prototype, '_writeGeneric', passing);
        pipeFile(witness, response);
      }),
  },

  'a socket whose write is wrapped': {
    travel: { original: { 'patched-socket': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        if (response.socket !== null) wrap(response.socket, 'write', counting(witness, 'counted'));
        pipeFile(witness, response);
      }),
  },

  'a response with a prototype of a framework in between': {
    travel: { rerouted: 1 },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        const prototype = Object.create(Object.getPrototypeOf(response));
        prototype.sendFile = function (this: ServerResponse) {
          pipeFile(witness, this);
        };
        Object.setPrototypeOf(response, prototype);
        Reflect.get(response, 'sendFile').call(response);
      }),
  },

  'a framework whose prototype overrides write': {
    travel: { original: { 'patched-response': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        const prototype = Object.create(Object.getPrototypeOf(response));
        wrap(prototype, 'write', counting(witness, 'counted'));
        Object.setPrototypeOf(response, prototype);
        pipeFile(witness, response);
      }),
  },

  'a gzip between file and response': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (witness) =>
      exchange(witness, ({ response }) => {
        pipeFile(witness, createGzip()).pipe(response);
      }),
  },

  'a transform between file and response, in a pipeline': {
    travel: { original: { 'not-a-socket': 1 } },
    run: (witness) =>
      exchange(witness, async ({ response }) => {
        const inverting = new Transform({
          transform: (chunk: Buffer, _encoding, callback) =>
            callback(
              null,
              chunk.map((byte) => byte ^ 0xff),
            ),
        });
        await pipeline(witness.stream('stream', createReadStream(witness.sample('100k'))), inverting, response);
      }),
  },

  'a PassThrough': {
    travel: { original: {} },
    run: async (witness) => {
      const chunks: Buffer[] = [];
      for await (const chunk of pipeFile(witness, new PassThrough())) chunks.push(chunk);
      witness.note('received', digest(Buffer.concat(chunks)));
    },
  },

  'a pipe that gunzips': {
    travel: { original: {} },
    run: async (witness) => {
      const gunzip = createGunzip();
      gunzip.on('error', (error: NodeJS.ErrnoException) => witness.event('gunzip', 'error', error.code));
      pipeFile(witness, gunzip);
    },
  },

  'the standard output, which is a pipe here': {
    travel: { original: { stdio: 1 } },
    run: async (witness) => {
      // Without a socket there would be no hooks at all.
      const server = await listening(createServer());
      server.close();
      pipeFile(witness, process.stdout);
    },
  },

  'the response of an http2 server': {
    travel: { original: { 'not-a-socket': 1 } },
    run: async (witness) => {
      const server = createHttp2Server((_request, response) => {
        witness.writable('http2', response);
        pipeFile(witness, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const chunks: Buffer[] = [];
      for await (const chunk of session.request()) chunks.push(chunk as Buffer);
      witness.note('received', digest(Buffer.concat(chunks)));
      session.close();
      server.close();
    },
  },

  'the response of an https server': {
    travel: { original: { 'tls-or-wrapped-socket': 1 } },
    run: async (witness) => {
      const server = await listening(
        createHttpsServer(certificate(witness), (_request, response) => {
          witness.response('response', response);
          pipeFile(witness, response);
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
      witness.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a TLS socket': {
    travel: { original: { 'tls-or-wrapped-socket': 1 } },
    run: async (witness) => {
      const server = await listening(createTlsServer(certificate(witness), (socket) => pipeFile(witness, socket)));
      const client = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      witness.note('received', digest(Buffer.concat(chunks)));
      server.close();
    },
  },

  'a write stream into a file': {
    travel: { original: {} },
    run: async (witness) => {
      const { createWriteStream } = await import('node:fs');
      const copy = join(process.cwd(), `written-${process.pid}`);
      await pipeline(witness.stream('stream', createReadStream(witness.sample('1m'))), createWriteStream(copy));
      witness.note('written', digest(readFileSync(copy)));
    },
  },

  'a plain socket below a Duplex that an app pipes into': {
    travel: { original: { 'not-a-socket': 1 } },
    run: async (witness) => {
      const server = await listening(
        createServer((socket) => {
          const outer = new Writable({
            write: (chunk, encoding, callback) => void socket.write(chunk, encoding, callback),
            final: (callback) => void socket.end(callback),
          });
          pipeFile(witness, outer);
        }),
      );
      witness.note('received', digest(await talk(witness, portOf(server), '')));
      server.close();
    },
  },
};
