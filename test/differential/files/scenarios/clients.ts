import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { Agent, createServer as createHttpServer, get, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, createServer, type LookupFunction, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { digest } from '../../../support/files/content.js';
import { SAMPLE_SIZES } from '../../../support/files/sample-files.js';
import type { Recorder } from '../../harness/recorder.js';
import { listening, portOf, talk } from '../exchange.js';
import { besideSamples, samplePath } from '../samples.js';
import { fileScenarios } from '../scenario.js';
import { watchSocket, watchStream } from '../watch.js';

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
function hearing(recorder: Recorder) {
  return listening(
    createServer({ allowHalfOpen: true }, async (socket) => {
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      recorder.note('heard', digest(...chunks));
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

function web(recorder: Recorder) {
  let requests = 0;
  return listening(
    createHttpServer((request, response) => {
      recorder.note(`request ${++requests}`, [request.method, request.url, request.headers.connection]);
      request.pipe(response);
    }),
  );
}

export const scenarios = fileScenarios({
  'a client that greets and listens': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const server = await hearing(recorder);
      await recorder.within('client', async () => {
        const socket = watchSocket(recorder, 'client', connect(portOf(server), '127.0.0.1'));
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
    async run(recorder) {
      const server = await hearing(recorder);
      await recorder.within('client', async () => {
        const socket = watchSocket(recorder, 'client', new Socket());
        socket.connect(portOf(server), '127.0.0.1');
        socket.resume();
        // It takes the fast way once it is connected.
        await once(socket, 'connect');
        watchStream(recorder, 'stream', createReadStream(samplePath('1m-and-1'))).pipe(socket);
        await once(socket, 'close');
      });
      server.close();
    },
  },
  'a client of a name whose first address refuses': {
    travel: NO_FILES,
    opens: 2,
    async run(recorder) {
      const server = await hearing(recorder);
      const socket = watchSocket(recorder, 'client', new Socket());
      for (const event of ['connectionAttempt', 'connectionAttemptFailed', 'lookup']) {
        socket.on(event, (...args: unknown[]) =>
          recorder.event('attempt', event, ...args.filter((arg) => arg === 4 || arg === 6)),
        );
      }
      recorder.within('client', () => socket.connect({ port: portOf(server), host: 'x', lookup: twoAddresses }));
      socket.resume().once('connect', () => socket.end('found'));
      await once(socket, 'close');
      recorder.note('attempted', socket.autoSelectFamilyAttemptedAddresses?.length);
      server.close();
    },
  },
  'a client that is refused': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const server = await listening(createServer());
      const port = portOf(server);
      server.close();
      await once(server, 'close');
      const socket = recorder.within('client', () => watchSocket(recorder, 'client', connect(port, '127.0.0.1')));
      socket.write('nobody hears this', (error) => recorder.event('write', error?.name));
      await new Promise((resolve) => socket.once('close', resolve));
    },
  },
  'requests over one connection of an agent': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const server = await web(recorder);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const to = { port: portOf(server), host: '127.0.0.1', agent };
      for (const round of [1, 2, 3]) {
        await recorder.within(`request ${round}`, async () => {
          const request = httpRequest({ ...to, method: 'POST', path: `/${round}` });
          request.setNoDelay(round !== 2);
          request.end(`body ${round}`);
          const [response] = (await once(request, 'response')) as [IncomingMessage];
          recorder.note(`response ${round}`, [await bodyOf(response), request.reusedSocket]);
        });
      }
      agent.destroy();
      server.close();
    },
  },
  'a file as the body of a request': {
    travel: { original: { 'not-a-socket': 1 } },
    opens: 1,
    async run(recorder) {
      const server = await web(recorder);
      await recorder.within('request', async () => {
        // Not `close`: the answer comes along with the request, and its end would close the socket before the request has finished.
        const headers = { 'content-length': SAMPLE_SIZES['1m'], connection: 'keep-alive' };
        const request = httpRequest({ port: portOf(server), host: '127.0.0.1', method: 'PUT', headers, agent: false });
        const answered = once(request, 'response');
        request.flushHeaders();
        const [socket] = await once(request, 'socket');
        await once(socket, 'connect');
        const sending = pipeline(watchStream(recorder, 'stream', createReadStream(samplePath('1m'))), request);
        const [response] = (await answered) as [IncomingMessage];
        recorder.note('response', [response.statusCode, await bodyOf(response)]);
        await sending;
      });
      server.close();
    },
  },
  'fetch()': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const server = await web(recorder);
      const response = await fetch(`http://127.0.0.1:${portOf(server)}/fetched`, { method: 'POST', body: 'a body' });
      recorder.note('fetched', [response.status, await response.text()]);
      server.close();
      server.closeAllConnections();
    },
  },
  'a client that speaks TLS': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const beside = (name: string): Buffer => readFileSync(besideSamples(name));
      const [key, cert] = [beside('key.pem'), beside('cert.pem')];
      const server = await listening(
        createTlsServer({ key, cert }, (socket) => {
          socket.end('in secret');
          socket.resume();
        }),
      );
      await recorder.within('client', async () => {
        const to = { port: portOf(server), host: '127.0.0.1', ca: cert, servername: 'localhost' };
        const socket = watchSocket(recorder, 'client', tlsConnect(to));
        socket.setKeepAlive(true, 1000);
        socket.on('secureConnect', () => recorder.event('client', 'secureConnect', socket.authorized));
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(socket, 'close');
        recorder.note('heard by the client', digest(...chunks));
      });
      server.close();
    },
  },
  'a request that is aborted before its socket is connected': {
    travel: NO_FILES,
    opens: 0,
    async run(recorder) {
      const server = await web(recorder);
      const controller = new AbortController();
      const request = get({
        port: portOf(server),
        host: 'x',
        lookup: twoAddresses,
        agent: false,
        signal: controller.signal,
      });
      request.on('error', (error: NodeJS.ErrnoException) => recorder.event('request', 'error', error.code));
      controller.abort();
      await new Promise((resolve) => request.once('close', resolve));
      server.close();
    },
  },
  'a client that hears from its server first': {
    travel: NO_FILES,
    opens: 1,
    async run(recorder) {
      const server = await listening(createServer((socket) => void socket.end('220 ready')));
      recorder.note('heard', digest(await talk(recorder, portOf(server), '')));
      server.close();
    },
  },
});
