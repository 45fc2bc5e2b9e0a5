import cluster from 'node:cluster';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stories } from '../scenario.js';

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

export const stories: Stories = {
  'a Unix socket': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const path = join(tmpdir(), `story-${stage.port}.sock`);
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) await stage.order(one, 'listen', path);
      const answers = new Set<string>();
      while (answers.size < 2) answers.add(await greetingOfPath(path));
      stage.note('answers', 'are', [...answers].sort());
      await stage.end(...workers);
      stage.note('answers', 'of nobody', await greetingOfPath(path));
    },
    worker(stage) {
      stage.on('listen', async (path) => {
        const server = stage.greeter();
        server.listen({ path: String(path) });
        await once(server, 'listening');
      });
    },
  },
  UDP: {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) stage.note('order', 'bind', await stage.order(one, 'bind', stage.port));
      const client = createSocket('udp4');
      client.send('hello', stage.port, '127.0.0.1');
      const [answer] = await once(client, 'message');
      stage.note('client', 'reads', String(answer).replace(/\d/, 'N'));
      client.close();
      await stage.end(...workers);
    },
    worker(stage) {
      stage.on('bind', async (port) => {
        const socket = createSocket('udp4');
        socket.on('message', (_, peer) => socket.send(`worker ${cluster.worker?.id}`, peer.port, peer.address));
        socket.bind(Number(port), '127.0.0.1');
        await once(socket, 'listening');
        stage.note('socket', 'listening', socket.address());
        stage.watch('socket', socket, ['close']);
      });
    },
  },
  pauseOnConnect: {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(stage) {
      const one = await stage.ready();
      await stage.order(one, 'listen');
      const client = connect(stage.port, '127.0.0.1').setEncoding('utf8');
      client.write('hello');
      const [text] = await once(client, 'data');
      stage.note('client', 'reads', text);
      client.destroy();
      await stage.end(one);
    },
    worker(stage) {
      stage.on('listen', async () => {
        const server = createServer({ pauseOnConnect: true }, (socket) => {
          stage.note('socket', 'is paused', socket.isPaused());
          socket.on('data', (data) => socket.write(data));
          setTimeout(() => {
            stage.note('socket', 'has read', socket.bytesRead);
            socket.resume();
          }, 20);
        });
        stage.server('server', server).listen(stage.port, '127.0.0.1');
        await once(server, 'listening');
      });
    },
  },
  'server.unref() and ref()': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) await stage.order(one, 'listen');
      stage.note('answers', 'are', await stage.heard(stage.port, workers));
      await stage.end(...workers);
    },
    worker(stage) {
      stage.on('listen', async () => {
        const server = stage.greeter();
        server.unref();
        server.listen(stage.port, '127.0.0.1');
        await once(server, 'listening');
        stage.note('server', 'unref() is itself', server.unref() === server);
        if (cluster.worker?.id === 1) server.ref();
      });
    },
  },
  'listen() and close() before the primary has answered': {
    own: { everywhere: 1, workersOnly: 1 },
    async primary(stage) {
      const one = await stage.ready();
      stage.note('order', 'hasty', await stage.order(one, 'hasty'));
      stage.note('answers', 'are', await stage.heard(stage.port, [one]));
      await stage.end(one);
    },
    worker(stage) {
      stage.on('hasty', async () => {
        const hasty = stage.greeter('hasty');
        hasty.listen(stage.port, '127.0.0.1');
        hasty.close((error) => stage.note('hasty', 'closed', error));
        // The primary has answered a later question by then, and with it the first.
        const server = stage.greeter();
        server.listen(stage.port, '127.0.0.1');
        await Promise.race([once(server, 'listening'), once(server, 'error')]);
        stage.note('hasty', 'is', hasty.listening);
        hasty.close();
      });
    },
  },
  'a descriptor of the primary': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const server = createServer();
      server.listen(stage.port, '127.0.0.1');
      await once(server, 'listening');
      const { fd } = (server as Server & { readonly _handle: { readonly fd: number } })._handle;
      const one = await stage.ready();
      stage.note('order', 'listen', await stage.order(one, 'listen', fd));
      stage.note('order', 'listen to no socket', await stage.order(one, 'listen', openSync('/dev/null', 'r')));
      server.close();
      await stage.end(one);
    },
    worker(stage) {
      stage.on('listen', async (fd) => {
        const server = stage.greeter();
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
    async primary(stage) {
      const server = createServer();
      server.listen(stage.port, '127.0.0.1');
      await once(server, 'listening');
      const one = await stage.ready();
      one.process.send('server', server);
      await once(one, 'message');
      server.close();
      stage.note('answer', 'is', await stage.greeting(stage.port));
      await stage.end(one);
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
};
