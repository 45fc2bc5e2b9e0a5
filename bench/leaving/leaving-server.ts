// A server that is replaced at a rollout: KIND is how it is made. With HANDLER=1 the app closes it on SIGTERM and SIGINT, as its framework's
// documentation says. KEY and CERT are files for TLS. It prints its port.

import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import express from 'express';
import fastify from 'fastify';

const { KIND = 'http', HANDLER, PORT = '0', KEY = '', CERT = '' } = process.env;
const address = { port: Number(PORT), host: '127.0.0.1' };

/** As a handler that asks a database. */
function later(act: () => void): void {
  setTimeout(act, Math.random() * 5);
}

function announce(server: Server): void {
  console.log((server.address() as AddressInfo).port);
}

function onTermination(close: (closed: () => void) => void): void {
  if (HANDLER !== '1') return;
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => close(() => process.exit(0)));
}

function serve(server: Server): void {
  server.listen(address, () => announce(server));
  onTermination((closed) => server.close(closed));
}

const answer: RequestListener = (request, response) => {
  request.resume();
  later(() => response.end('ok'));
};

const secure = (): { readonly key: Buffer; readonly cert: Buffer } => ({
  key: readFileSync(KEY),
  cert: readFileSync(CERT),
});

const answerStream = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
  request.resume();
  later(() => response.end('ok'));
};

const KINDS: Readonly<Record<string, () => void | Promise<void>>> = {
  http: () => serve(createServer(answer)),
  https: () => serve(createHttpsServer(secure(), answer)),
  h2c: () => serve(createHttp2Server(answerStream)),
  'h2, TLS': () => serve(createSecureServer(secure(), answerStream)),
  express() {
    const app = express();
    app.post('/', (_request, response) => later(() => response.json({ ok: true })));
    serve(createServer(app));
  },
  async fastify() {
    const app = fastify();
    app.post('/', (_request, reply) => {
      later(() => reply.send({ ok: true }));
    });
    onTermination((closed) => app.close().then(closed));
    await app.listen(address);
    announce(app.server);
  },
  cluster() {
    if (cluster.isWorker) {
      createServer(answer).listen(address);
      return;
    }
    let listening = 0;
    cluster.on('listening', (_worker, { port }) => {
      listening++;
      if (listening === 2) console.log(port);
    });
    cluster.fork();
    cluster.fork();
    onTermination((closed) => cluster.disconnect(closed));
  },
};

await KINDS[KIND]?.();
