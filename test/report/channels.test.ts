import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import type { ConnectionMessage, FileMessage } from '../../src/report/channels.js';
import type { ListenerRecord } from '../../src/report/listener-record.js';
import { stats } from '../../src/report/report.js';
import { useScratch } from '../support/files/scratch.js';
import { useInstalled } from '../support/test-run/installed.js';

async function get(port: number, path: string): Promise<number> {
  const request = http.get({ port, path, agent: false });
  const [response] = await once(request, 'response');
  return (await buffer(response)).length;
}

describe('the diagnostics channels', () => {
  useInstalled({ noDelay: true });
  const scratch = useScratch();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('tell of listeners, of connections with their sockets, and of the way of every file', async () => {
    const listeners: ListenerRecord[] = [];
    const connections: ConnectionMessage[] = [];
    const files: FileMessage[] = [];
    const subscriptions = [
      ['socket-tune:listener', (message: unknown) => listeners.push(message as ListenerRecord)],
      ['socket-tune:connection', (message: unknown) => connections.push(message as ConnectionMessage)],
      ['socket-tune:file', (message: unknown) => files.push(message as FileMessage)],
    ] as const;
    for (const [name, subscriber] of subscriptions) channel(name).subscribe(subscriber);
    const large = scratch.file('large', Buffer.alloc(200_000));
    const small = scratch.file('small', Buffer.alloc(2000));
    const accepted: unknown[] = [];
    const server = http.createServer(({ url }, response) => {
      if (url === '/encoded') createReadStream(small, 'latin1').pipe(response);
      else createReadStream(url === '/large' ? large : small).pipe(response);
    });
    server.on('connection', (socket) => accepted.push(socket)).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(listeners.map(({ address }) => address)).to.deep.equal([`[::]:${port}`]);
    for (const path of ['/large', '/small', '/encoded']) await get(port, path);
    expect(connections.map(({ socket }) => socket)).to.deep.equal(accepted);
    expect(connections[0]?.listener).to.equal(listeners[0]);
    expect(files).to.deep.equal([
      { path: large, route: 'sendfile', bytes: 200_000 },
      { path: small, route: 'copied', bytes: 2000 },
      { path: small, route: 'node', reason: 'encoding-or-object-mode' },
    ]);
    for (const [name, subscriber] of subscriptions) channel(name).unsubscribe(subscriber);
    await get(port, '/small');
    expect(files).to.have.length(3);
    expect(connections).to.have.length(3);
    server.close();
  });

  it('leave the statistics to stats(), which are a copy', () => {
    const one = stats();
    expect(one.listeners.length).to.be.greaterThan(0);
    Reflect.set(one.files, 'sendfileBytes', -1);
    one.listeners.at(-1)?.outcomes.splice(0);
    const two = stats();
    expect(two.files.sendfileBytes).to.be.greaterThan(0);
    expect(two.listeners.at(-1)?.outcomes).not.to.be.empty;
    expect(JSON.parse(JSON.stringify(two))).to.deep.equal(two);
  });
});
