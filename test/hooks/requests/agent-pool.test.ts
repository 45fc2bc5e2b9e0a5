import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ANSWER_HOLDS_MS } from '../../../src/hooks/requests/pool-guard.js';
import { staleConnectionHook } from '../../../src/hooks/requests/stale-connection.js';
import type { Platform } from '../../../src/native/platform.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { nodeDoes } from '../../../src/node/versions.js';
import { counters } from '../../../src/report/counters.js';
import { destinationOf } from '../../../src/report/destination-record.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';

interface Answered {
  readonly request: http.ClientRequest;
  readonly socket: net.Socket;
}

describe('the pool of an http.Agent', () => {
  let undo: Undo | undefined;
  let server: http.Server;
  let port: number;
  let agent: http.Agent;
  /** Sockets of which the kernel shall say that the peer has closed them. */
  let closed: Set<unknown>;
  let asked: number;
  let loaded: number;
  const platform = (): Platform => {
    loaded++;
    return {
      ...linux(),
      hasPeerClosed(below) {
        asked++;
        return closed.has(below);
      },
    };
  };

  before(function () {
    if (process.platform !== 'linux' || nodeDoes('guardsAgents')) this.skip();
  });

  beforeEach(async () => {
    closed = new Set();
    asked = 0;
    loaded = 0;
    undo = staleConnectionHook.install(hookContext({}, linux(), { guards: true, platform }));
    server = http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as net.AddressInfo);
    agent = new http.Agent({ keepAlive: true });
  });

  afterEach(() => {
    agent?.destroy();
    undo?.();
    server?.closeAllConnections();
    server?.close();
  });

  async function ask(by = agent): Promise<Answered> {
    const request = http.get({ host: '127.0.0.1', port, agent: by });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const { socket } = response;
    response.resume();
    await once(response, 'end');
    // Node releases the connection a tick later.
    await new Promise((resolve) => setImmediate(resolve));
    return { request, socket };
  }

  /** Until the kernel is asked again. */
  const rest = (): Promise<void> => sleep(2 * ANSWER_HOLDS_MS);

  const handle = (socket: net.Socket): unknown => Reflect.get(socket, '_handle');

  it('gives a request another connection in place of one that the peer has closed', async () => {
    const before = counters.staleConnections;
    const stale = destinationOf('127.0.0.1', port).stale;
    const first = await ask();
    const second = await ask();
    expect(second.socket).to.equal(first.socket);
    expect(second.request.reusedSocket).to.equal(true);
    await rest();
    closed.add(handle(first.socket));
    const isClosed = once(first.socket, 'close');
    const third = await ask();
    await isClosed;
    expect(third.socket).not.to.equal(first.socket);
    expect(third.request.reusedSocket).to.equal(false);
    expect(Object.values(agent.freeSockets).flat()).to.deep.equal([third.socket]);
    expect(Reflect.get(agent, 'totalSocketCount')).to.equal(1);
    expect(counters.staleConnections - before).to.equal(1);
    expect(destinationOf('127.0.0.1', port).stale - stale).to.equal(1);
  });

  for (const scheduling of ['lifo', 'fifo'] as const) {
    it(`asks about the one that is next, and takes the first that is alive: ${scheduling}`, async () => {
      agent = new http.Agent({ keepAlive: true, scheduling });
      const [one, two, three] = await Promise.all([ask(), ask(), ask()]);
      const free = [...(Object.values(agent.freeSockets)[0] ?? [])];
      expect(new Set(free)).to.deep.equal(new Set([one?.socket, two?.socket, three?.socket]));
      const [next, after, last] = scheduling === 'lifo' ? free.toReversed() : free;
      closed.add(handle(next as net.Socket)).add(handle(last as net.Socket));
      asked = 0;
      expect((await ask()).socket).to.equal(after);
      expect(asked).to.equal(2);
      expect(next?.destroyed).to.equal(true);
      expect(last?.destroyed).to.equal(false);
    });
  }

  it('of a class with a longer name for its destinations is guarded as well', async () => {
    class Named extends http.Agent {
      override getName(options?: http.AgentOptions): string {
        return `mine:${super.getName(options)}:mine`;
      }
    }
    agent = new Named({ keepAlive: true });
    const first = await ask();
    expect((await ask()).socket).to.equal(first.socket);
    await rest();
    closed.add(handle(first.socket));
    expect((await ask()).socket).not.to.equal(first.socket);
  });

  it('leaves a request in the queue when the connection that is released is closed', async () => {
    agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const first = http.get({ host: '127.0.0.1', port, agent });
    const second = http.get({ host: '127.0.0.1', port, agent });
    const answered = once(second, 'response') as Promise<[http.IncomingMessage]>;
    const [response] = (await once(first, 'response')) as [http.IncomingMessage];
    const { socket } = response;
    closed.add(handle(socket));
    response.resume();
    const [later] = await answered;
    expect(later.socket).not.to.equal(socket);
    expect(second.reusedSocket).to.equal(false);
    later.resume();
    await once(later, 'end');
  });

  it('costs a connection nothing before it is used again', async () => {
    await ask();
    expect([loaded, asked]).to.deep.equal([0, 0]);
    await ask();
    expect([loaded, asked]).to.deep.equal([1, 1]);
  });

  it('is asked about a busy connection once in a while, and not for every request', async () => {
    await ask();
    const began = performance.now();
    let requests = 0;
    for (; performance.now() - began < 10 * ANSWER_HOLDS_MS; requests++) await ask();
    const most = Math.ceil((performance.now() - began) / ANSWER_HOLDS_MS);
    expect(asked).to.be.above(1).and.at.most(most);
    expect(requests).to.be.above(asked);
  });

  it('is Node’s own again after the undo, and without the guard', async () => {
    const methods = () => [
      http.Agent.prototype.getName,
      https.Agent.prototype.getName,
      Reflect.get(net.Socket.prototype, '_unrefTimer'),
    ];
    const { socket } = await ask();
    const patched = methods();
    undo?.();
    undo = undefined;
    const own = methods();
    for (const [index, method] of own.entries()) {
      expect(method).not.to.equal(patched[index]);
      expect([method.name, method.length]).to.deep.equal([patched[index].name, patched[index].length]);
    }
    closed.add(handle(socket));
    expect((await ask()).socket).to.equal(socket);
    expect(staleConnectionHook.install(hookContext({}, linux(), { guards: false }))).to.equal(undefined);
    expect(methods()).to.deep.equal(own);
  });

  it('has no listeners of ours on its sockets', async () => {
    const listeners = (of: net.Socket) => of.eventNames().map((name) => [name, of.listenerCount(name)]);
    const { socket } = await ask();
    const tuned = listeners(socket);
    undo?.();
    undo = undefined;
    agent = new http.Agent({ keepAlive: true });
    expect(tuned).to.deep.equal(listeners((await ask()).socket));
  });
});

describe('the pool of an http.Agent that Node guards itself', () => {
  before(function () {
    if (!nodeDoes('guardsAgents')) this.skip();
  });

  it('is left as it is', async () => {
    const { getName } = http.Agent.prototype;
    const undo = staleConnectionHook.install(hookContext({}, linux(), { guards: true }));
    const server = http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
    const agent = new http.Agent({ keepAlive: true });
    try {
      await once(server, 'listening');
      const { port } = server.address() as net.AddressInfo;
      for (let round = 0; round < 3; round++) {
        const [response] = await once(http.get({ host: '127.0.0.1', port, agent }), 'response');
        await once(response.resume(), 'end');
      }
      expect(http.Agent.prototype.getName).to.equal(getName);
    } finally {
      agent.destroy();
      undo?.();
      server.close();
    }
  });
});
