import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Client as Client6 } from 'undici6';
import { Client as Client7 } from 'undici7';
import { ANSWER_HOLDS_MS } from '../../../src/hooks/requests/pool-guard.js';
import { staleConnectionHook } from '../../../src/hooks/requests/stale-connection.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { destinationOf } from '../../../src/report/destination-record.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';

/** What we use of a client, the same in each version. */
interface Client {
  request(options: { path: string; method: 'POST'; body: string }): Promise<{ body: { text(): Promise<string> } }>;
  on(event: 'disconnect', listener: (origin: URL, targets: unknown, error: NodeJS.ErrnoException) => void): unknown;
  destroy(): Promise<void>;
}

const CLIENTS: Readonly<Record<string, (origin: string) => Client>> = {
  'undici 6': (origin) => new Client6(origin) as Client,
  'undici 7': (origin) => new Client7(origin) as Client,
};

for (const [name, makeClient] of Object.entries(CLIENTS)) {
  describe(`a client of ${name}`, () => {
    let undo: Undo | undefined;
    let server: http.Server;
    let client: Client;
    let port: number;
    /** What the kernel shall say of every connection. */
    let isClosed: boolean;
    let asked: number;

    before(function () {
      if (process.platform !== 'linux') this.skip();
    });

    beforeEach(async () => {
      isClosed = false;
      asked = 0;
      const hasPeerClosed = (): boolean => {
        asked++;
        return isClosed;
      };
      const platform = () => ({ ...linux(), hasPeerClosed });
      undo = staleConnectionHook.install(hookContext({}, linux(), { guards: true, platform }));
      // Answers with the port of the connection, by which the client's connections differ.
      server = http.createServer((request, response) => {
        request.resume().on('end', () => response.end(String((request.socket as Socket).remotePort)));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      ({ port } = server.address() as AddressInfo);
      client = makeClient(`http://127.0.0.1:${port}`);
    });

    afterEach(async () => {
      await client?.destroy();
      undo?.();
      server?.closeAllConnections();
      server?.close();
    });

    async function ask(): Promise<string> {
      const { body } = await client.request({ path: '/', method: 'POST', body: 'hello' });
      return body.text();
    }

    it('writes a request to a new connection, once, when the peer has closed that of the last one', async () => {
      let requests = 0;
      server.on('request', () => requests++);
      const { stale } = destinationOf('127.0.0.1', port);
      const first = await ask();
      expect(await ask()).to.equal(first);
      const disconnects: (string | undefined)[] = [];
      client.on('disconnect', (_origin, _targets, error) => disconnects.push(error.code));
      await sleep(2 * ANSWER_HOLDS_MS);
      isClosed = true;
      const another = await ask();
      expect(another).not.to.equal(first);
      expect(disconnects).to.deep.equal(['UND_ERR_SOCKET']);
      expect(requests).to.equal(3);
      expect(destinationOf('127.0.0.1', port).stale).to.equal(stale + 1);
    });

    it('is not asked about a connection that has served no request, so that it does not connect for ever', async () => {
      isClosed = true;
      expect(await ask()).to.match(/^\d+$/);
      expect(asked).to.equal(0);
    });

    it('is not guarded after the undo', async () => {
      const first = await ask();
      undo?.();
      undo = undefined;
      isClosed = true;
      expect(await ask()).to.equal(first);
      expect(asked).to.equal(0);
    });
  });
}
