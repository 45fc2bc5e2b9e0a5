import { once } from 'node:events';
import type { ListenOptions } from 'node:net';
import type { Stage } from '../process-harness.js';
import type { Stories, Story } from '../scenario.js';

/** What workers are told to listen on, and from where they are asked. */
interface Place {
  readonly options: ListenOptions;
  /** Addresses of the machine that reach it. */
  readonly reached: readonly string[];
  /** Those that do not. */
  readonly refused?: readonly string[];
}

function worker(stage: Stage): void {
  stage.on('listen', async (options) => {
    const server = stage.greeter();
    server.listen(new Object(options));
    // What it has for itself, a worker does not close when it is to disconnect.
    process.once('disconnect', () => server.close());
    const [error]: (NodeJS.ErrnoException | undefined)[] = await Promise.race([
      once(server, 'listening'),
      once(server, 'error').then((values) => values),
    ]).catch((failure) => [failure]);
    return error?.code;
  });
}

/** Two workers at one place. */
function at({ options, reached, refused = [] }: Place, own: Story['own'] = { everywhere: 2, workersOnly: 2 }): Story {
  return {
    own,
    async primary(stage) {
      const port = options.port ?? stage.port;
      const workers = [await stage.ready(), await stage.ready()];
      let bound = port;
      for (const one of workers) {
        one.once('listening', (address) => {
          bound = address.port;
        });
        stage.note('order', 'listen', await stage.order(one, 'listen', { ...options, port }));
        stage.note('port', 'is', bound);
      }
      for (const host of reached) stage.note('answers', host, await stage.heard(bound, workers, host));
      for (const host of refused) stage.note('answers', host, await stage.greeting(bound, host));
      await stage.end(...workers);
    },
    worker,
  };
}

export const stories: Stories = {
  IPv4: at({ options: { host: '127.0.0.1' }, reached: ['127.0.0.1'], refused: ['::1', '127.0.0.2'] }),
  'another address of the machine': at({
    options: { host: '127.0.0.2' },
    reached: ['127.0.0.2'],
    refused: ['127.0.0.1'],
  }),
  'all of IPv4': at({ options: { host: '0.0.0.0' }, reached: ['127.0.0.1', '127.0.0.3'], refused: ['::1'] }),
  IPv6: at({ options: { host: '::1' }, reached: ['::1'], refused: ['127.0.0.1'] }),
  'no host, which is both families': at({ options: {}, reached: ['127.0.0.1', '::1'] }),
  'all of IPv6, which is both families': at({ options: { host: '::' }, reached: ['127.0.0.1', '::1'] }),
  ipv6Only: at({ options: { host: '::', ipv6Only: true }, reached: ['::1'], refused: ['127.0.0.1'] }),
  localhost: at({ options: { host: 'localhost' }, reached: ['localhost'] }),
  'port 0': at({ options: { host: '127.0.0.1', port: 0 }, reached: ['127.0.0.1'] }, { everywhere: 2, workersOnly: 0 }),
  'port 0 without a host': at(
    { options: { port: 0 }, reached: ['127.0.0.1', '::1'] },
    { everywhere: 2, workersOnly: 0 },
  ),
  'IPv4 and IPv6 side by side on one port': {
    own: { everywhere: 4, workersOnly: 4 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) {
        for (const options of [{ host: '0.0.0.0' }, { host: '::', ipv6Only: true }])
          stage.note('order', 'listen', await stage.order(one, 'listen', { ...options, port: stage.port }));
      }
      for (const host of ['127.0.0.1', '::1'])
        stage.note('answers', host, await stage.heard(stage.port, workers, host));
      await stage.end(...workers);
    },
    worker,
  },
  'port 0 twice in each worker': {
    own: { everywhere: 4, workersOnly: 0 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      const ports: number[] = [];
      for (const one of workers) {
        one.on('listening', (address) => ports.push(address.port));
        for (let turn = 0; turn < 2; turn++) await stage.order(one, 'listen', { port: 0, host: '127.0.0.1' });
      }
      stage.note('ports', 'are', ports);
      for (const port of new Set(ports)) stage.note('answers', 'of both', await stage.heard(port, workers));
      await stage.end(...workers);
    },
    worker,
  },
  'exclusive: true on port 0': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) {
        let port = 0;
        one.once('listening', (address) => {
          port = address.port;
        });
        await stage.order(one, 'listen', { port: 0, host: '127.0.0.1', exclusive: true });
        stage.note('answers', 'of one', port, port === 0 || (await stage.heard(port, [one])));
      }
      await stage.end(...workers);
    },
    worker,
  },
  'exclusive: true on a port': {
    own: { everywhere: 0, workersOnly: 0 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready()];
      for (const one of workers) {
        const options = { port: stage.port, host: '127.0.0.1', exclusive: true };
        stage.note('order', 'listen', await stage.order(one, 'listen', options));
      }
      await stage.end(...workers);
    },
    worker,
  },
  'exclusive: true on a port that the others share': {
    own: { everywhere: 2, workersOnly: 2 },
    async primary(stage) {
      const workers = [await stage.ready(), await stage.ready(), await stage.ready()];
      const options = { port: stage.port, host: '127.0.0.1' };
      for (const [index, one] of workers.entries())
        stage.note('order', 'listen', await stage.order(one, 'listen', { ...options, exclusive: index === 2 }));
      stage.note('answers', 'are', await stage.heard(stage.port, workers.slice(0, 2)));
      await stage.end(...workers);
    },
    worker,
  },
};
