import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { Agent, createServer as createHttpServer, get, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer, type LookupFunction, Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { digest } from '../../../support/files/content.js';
import type { Witness } from '../../harness/recorder.js';
import { listening, portOf, talk } from '../exchange.js';
import type { Cases } from '../scenario.js';

const NO_FILES = { original: {} };

/** A name of which the first address refuses. */
const twoAddresses: LookupFunction = (_host, options, callback) => {
  const found = [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  if (options.all) setTimeout(callback, 1, null, found);
  else setTimeout(callback, 1, null, '127.0.0.1', 4);
};

/** A server that answers a connection with what it has heard when that is over. */
function hearing(witness: Witness) {
  return listening(
    createServer({ allowHalfOpen: true }, async (socket) => {
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      witness.note('heard', digest(...chunks));
      socket.end('thank you');
    }),
  );
}

/** All of a response. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return digest(...chunks);
}

function web(witness: Witness) {
  let requests = 0;
  return listening(
    createHttpServer((request, response) => {
      witness.note(`request ${++requests}`, [request.method, request.url, request.headers.connection]);
      request.pipe(response);
    }),
  );
}

export const cases: Cases = {
  'a client that greets and listens': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const server = await hearing(witness);
      await witness.within('client', async () => {
        const socket = witness.socket('client', connect(portOf(server), '127.0.0.1'));
        socket.setNoDelay(false).setKeepAlive(true, 1000);
        socket.write('a greeting');
        socket.end(', and that is all');
        socket.resume();
        await once(socket, 'close');
      });
      server.close();
    },
  },
  'a file that a client pipes to its server': {
    travel: { rerouted: 1 },
    opens: 1,
    async run(witness) {
      const server = await hearing(witness);
      await witness.within('client', async () => {
        const socket = witness.socket('client', new Socket());
        socket.connect(portOf(server), '127.0.0.1');
        socket.resume();
        // It takes the fast way once it is connected.
        await once(socket, 'connect');
        witness.stream('stream', createReadStream(witness.sample('1m-and-1'))).pipe(socket);
        await once(socket, 'close');
      });
      server.close();
    },
  },
  'a client of a name whose first address refuses': {
    travel: NO_FILES,
    opens: 2,
    async run(witness) {
      const server = await hearing(witness);
      const socket = witness.socket('client', new Socket());
      for (const event of ['connectionAttempt', 'connectionAttemptFailed', 'lookup']) {
        socket.on(event, (...args: unknown[]) =>
          witness.event('attempt', event, ...args.filter((arg) => arg === 4 || arg === 6)),
        );
      }
      witness.within('client', () => socket.connect({ port: portOf(server), host: 'x', lookup: twoAddresses }));
      socket.resume().once('connect', () => socket.end('found'));
      await once(socket, 'close');
      witness.note('attempted', socket.autoSelectFamilyAttemptedAddresses?.length);
      server.close();
    },
  },
  'a client that is refused': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const server = await listening(createServer());
      const port = portOf(server);
      server.close();
      await once(server, 'close');
      const socket = witness.within('client', () => witness.socket('client', connect(port, '127.0.0.1')));
      socket.write('nobody hears this', (error) => witness.event('write', error?.name));
      await new Promise((resolve) => socket.once('close', resolve));
    },
  },
  'requests over one connection of an agent': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const server = await web(witness);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const to = { port: portOf(server), host: '127.0.0.1', agent };
      for (const round of [1, 2, 3]) {
        await witness.within(`request ${round}`, async () => {
          const request = httpRequest({ ...to, method: 'POST', path: `/${round}` });
          request.setNoDelay(round !== 2);
          request.end(`body ${round}`);
          const [response] = (await once(request, 'response')) as [IncomingMessage];
          witness.note(`response ${round}`, [await bodyOf(response), request.reusedSocket]);
        });
      }
      agent.destroy();
      server.close();
    },
  },
  'a file as the body of a request': {
    travel: { original: { 'not-a-socket': 1 } },
    opens: 1,
    async run(witness) {
      const server = await web(witness);
      await witness.within('request', async () => {
        // Not `close`: the answer comes along with the request, and its end would close the socket before the request has finished.
        const headers = { 'content-length': witness.sizeOf('1m'), connection: 'keep-alive' };
        const request = httpRequest({ port: portOf(server), host: '127.0.0.1', method: 'PUT', headers, agent: false });
        const answered = once(request, 'response');
        request.flushHeaders();
        const [socket] = await once(request, 'socket');
        await once(socket, 'connect');
        const sending = pipeline(witness.stream('stream', createReadStream(witness.sample('1m'))), request);
        const [response] = (await answered) as [IncomingMessage];
        witness.note('response', [response.statusCode, await bodyOf(response)]);
        await sending;
      });
      server.close();
    },
  },
  'fetch()': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const server = await web(witness);
      const response = await fetch(`http://127.0.0.1:${portOf(server)}/fetched`, { method: 'POST', body: 'a body' });
      witness.note('fetched', [response.status, await response.text()]);
      server.close();
      server.closeAllConnections();
    },
  },
  'a client that speaks TLS': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const beside = (name: string): Buffer => readFileSync(join(witness.sample('1'), '..', name));
      const [key, cert] = [beside('key.pem'), beside('cert.pem')];
      const server = await listening(
        createTlsServer({ key, cert }, (socket) => {
          socket.end('in secret');
          socket.resume();
        }),
      );
      await witness.within('client', async () => {
        const to = { port: portOf(server), host: '127.0.0.1', ca: cert, servername: 'localhost' };
        const socket = witness.socket('client', tlsConnect(to));
        socket.setKeepAlive(true, 1000);
        socket.on('secureConnect', () => witness.event('client', 'secureConnect', socket.authorized));
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(socket, 'close');
        witness.note('heard by the client', digest(...chunks));
      });
      server.close();
    },
  },
  'a request that is aborted before its socket is connected': {
    travel: NO_FILES,
    opens: 0,
    async run(witness) {
      const server = await web(witness);
      const controller = new AbortController();
      const request = get({
        port: portOf(server),
        host: 'x',
        lookup: twoAddresses,
        agent: false,
        signal: controller.signal,
      });
      request.on('error', (error: NodeJS.ErrnoException) => witness.event('request', 'error', error.code));
      controller.abort();
      await new Promise((resolve) => request.once('close', resolve));
      server.close();
    },
  },
  'a client that hears from its server first': {
    travel: NO_FILES,
    opens: 1,
    async run(witness) {
      const server = await listening(createServer((socket) => void socket.end('220 ready')));
      witness.note('heard', digest(await talk(witness, portOf(server), '')));
      server.close();
    },
  },
};
