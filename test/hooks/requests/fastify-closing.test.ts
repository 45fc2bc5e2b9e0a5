import { Agent, get, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { answerWhileFastifyCloses } from '../../../src/hooks/requests/fastify.js';
import type { Undo } from '../../../src/node/patch/replace.js';

const require = createRequire(import.meta.url);

interface Options {
  readonly return503OnClosing?: boolean;
}

describe('Fastify while it closes', () => {
  let undo: Undo | undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  afterEach(() => {
    undo?.();
    undo = undefined;
  });

  after(() => agent.destroy());

  /** Load Fastify anew, as an app does that starts. */
  function load(): (options?: Options) => FastifyInstance {
    for (const file of Object.keys(require.cache)) {
      if (/[\\/]node_modules[\\/]fastify[\\/]/.test(file)) delete require.cache[file];
    }
    return require('fastify');
  }

  function ask(port: number, path: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', path, agent }, (response) => resolve(response.resume())).on('error', reject);
    });
  }

  /** The status of the answer to a request on a connection that is in use when `close()` is called. */
  async function statusWhileClosing(options?: Options): Promise<number | undefined> {
    const app = load()(options);
    app.get('/', (_request, reply) => reply.send('here'));
    let answered: Promise<IncomingMessage> | undefined;
    // Its server listens on.
    app.addHook('preClose', async () => {
      answered = ask((app.server.address() as AddressInfo).port, '/');
      await answered;
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    await app.close();
    const response = await answered;
    expect(response?.headers.connection).to.equal('close');
    return response?.statusCode;
  }

  it('answers, unless its app wants 503', async () => {
    expect(await statusWhileClosing()).to.equal(503);
    undo = answerWhileFastifyCloses();
    expect(await statusWhileClosing()).to.equal(200);
    expect(await statusWhileClosing({ return503OnClosing: false })).to.equal(200);
    expect(await statusWhileClosing({ return503OnClosing: true })).to.equal(503);
    undo();
    undo = undefined;
    expect(await statusWhileClosing()).to.equal(503);
  });
});
