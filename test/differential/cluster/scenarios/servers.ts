import cluster from 'node:cluster';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterScenarios } from '../scenario.js';

function greetingOfPath(path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path).setEncoding('utf8');
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
  });
}

export const scenarios = clusterScenarios({
  'a Unix socket': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const path = join(tmpdir(), `scenario-${harness.port}.sock`);
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) await harness.order(one, 'listen', path);
      const answers = new Set<string>();
      while (answers.size < 2) answers.add(await greetingOfPath(path));
      harness.note('answers', 'are', [...answers].sort());
      await harness.end(...workers);
      harness.note('answers', 'of nobody', await greetingOfPath(path));
    },
    worker(harness) {
      harness.on('listen', async (path) => {
        const server = harness.greeter();
        server.listen({ path: String(path) });
        await once(server, 'listening');
      });
    },
  },
  UDP: {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) harness.note('order', 'bind', await harness.order(one, 'bind', harness.port));
      const client = createSocket('udp4');
      client.send('hello', harness.port, '127.0.0.1');
      const [answer] = await once(client, 'message');
      harness.note('client', 'reads', String(answer).replace(/\d/, 'N'));
      client.close();
      await harness.end(...workers);
    },
    worker(harness) {
      harness.on('bind', async (port) => {
        const socket = createSocket('udp4');
        socket.on('message', (_, peer) => socket.send(`worker ${cluster.worker?.id}`, peer.port, peer.address));
        socket.bind(Number(port), '127.0.0.1');
        await once(socket, 'listening');
        harness.note('socket', 'listening', socket.address());
        harness.watch('socket', socket, ['close']);
      });
    },
  },
  pauseOnConnect: {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(harness) {
      const one = await harness.ready();
      await harness.order(one, 'listen');
      const client = connect(harness.port, '127.0.0.1').setEncoding('utf8');
      client.write('hello');
      const [text] = await once(client, 'data');
      harness.note('client', 'reads', text);
      client.destroy();
      await harness.end(one);
    },
    worker(harness) {
      harness.on('listen', async () => {
        const server = createServer({ pauseOnConnect: true }, (socket) => {
          harness.note('socket', 'is paused', socket.isPaused());
          socket.on('data', (data) => socket.write(data));
          setTimeout(() => {
            harness.note('socket', 'has read', socket.bytesRead);
            socket.resume();
          }, 20);
        });
        harness.server('server', server).listen(harness.port, '127.0.0.1');
        await once(server, 'listening');
      });
    },
  },
  'server.unref() and ref()': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(harness) {
      const workers = [await harness.ready(), await harness.ready()];
      for (const one of workers) await harness.order(one, 'listen');
      harness.note('answers', 'are', await harness.heard(harness.port, workers));
      await harness.end(...workers);
    },
    worker(harness) {
      harness.on('listen', async () => {
        const server = harness.greeter();
        server.unref();
        server.listen(harness.port, '127.0.0.1');
        await once(server, 'listening');
        harness.note('server', 'unref() is itself', server.unref() === server);
        if (cluster.worker?.id === 1) server.ref();
      });
    },
  },
  'listen() and close() before the primary has answered': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(harness) {
      const one = await harness.ready();
      harness.note('order', 'hasty', await harness.order(one, 'hasty'));
      harness.note('answers', 'are', await harness.heard(harness.port, [one]));
      await harness.end(one);
    },
    worker(harness) {
      harness.on('hasty', async () => {
        const hasty = harness.greeter('hasty');
        hasty.listen(harness.port, '127.0.0.1');
        hasty.close((error) => harness.note('hasty', 'closed', error));
        // The primary has answered a later question by then, and with it the first.
        const server = harness.greeter();
        server.listen(harness.port, '127.0.0.1');
        await Promise.race([once(server, 'listening'), once(server, 'error')]);
        harness.note('hasty', 'is', hasty.listening);
        hasty.close();
      });
    },
  },
  'a descriptor of the primary': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(harness) {
      const server = createServer();
      server.listen(harness.port, '127.0.0.1');
      await once(server, 'listening');
      const { fd } = (server as Server & { readonly _handle: { readonly fd: number } })._handle;
      const one = await harness.ready();
      harness.note('order', 'listen', await harness.order(one, 'listen', fd));
      harness.note('order', 'listen to no socket', await harness.order(one, 'listen', openSync('/dev/null', 'r')));
      server.close();
      await harness.end(one);
    },
    worker(harness) {
      harness.on('listen', async (fd) => {
        const server = harness.greeter();
        server.listen({ fd: Number(fd) });
        return await once(server, 'listening').then(
          () => 'listens',
          ({ code }: NodeJS.ErrnoException) => code,
        );
      });
    },
  },
  'a server that the primary sends': {
    // The primary's listener shares its port, as that of any process does; it is not the worker's own.
    own: { everywhere: 1, workersOnly: 0 },
    async primary(harness) {
      const server = createServer();
      server.listen(harness.port, '127.0.0.1');
      await once(server, 'listening');
      const one = await harness.ready();
      one.process.send('server', server);
      await once(one, 'message');
      server.close();
      harness.note('answer', 'is', await harness.greeting(harness.port));
      await harness.end(one);
    },
    worker() {
      process.on('message', (message, handle) => {
        if (message !== 'server') return;
        (handle as Server).on('connection', (socket) => socket.end('worker'));
        process.send?.('taken');
        process.once('disconnect', () => (handle as Server).close());
      });
    },
  },
});
