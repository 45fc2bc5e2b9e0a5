import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { constants } from 'node:os';
import { expect } from 'chai';
import { drainOnClose, endDrain } from '../../../src/hooks/shared-port/drain.js';
import { addOwnPort, overlapsOwnPort } from '../../../src/hooks/shared-port/own-ports.js';
import type { Platform, PortCalls } from '../../../src/native/platform.js';
import type { PortSocket } from '../../../src/native/ports/port-socket.js';
import { asNetServer } from '../../../src/node/net.js';
import { portsOf, withPorts } from '../../support/ports.js';
import { kernelValue, linux, setKernelValue } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, listening, portOf, received } from '../../support/sockets/socket-pair.js';
import { turns } from '../../support/turns.js';
import { PATIENCE_MS, until } from '../../support/until.js';

const { EAGAIN, ENOPROTOOPT, EPERM } = constants.errno;

describe('a listener that shares its port, when it closes', () => {
  const clients: Socket[] = [];
  let server: Server;
  let port: number;
  let events: string[];
  /** Peers whose handshakes are under way. */
  let handshakes: readonly string[];
  let looks: number;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    events = [];
    handshakes = [];
    looks = 0;
    server = createServer((socket) => {
      events.push('connection');
      socket.end('hello');
    });
    server.on('close', () => events.push('close'));
    await listening(server);
    port = portOf(server);
  });

  afterEach(async () => {
    handshakes = [];
    for (const client of clients.splice(0)) client.destroy();
    if (server.listening) server.close();
    await until('the server is closed', () => events.includes('close'));
  });

  /** The running kernel, where one more listener shares the port, and handshakes are those of the test. */
  function kernel(overrides: Partial<PortCalls>): Platform {
    return withPorts(linux(), {
      migratesConnections: () => false,
      sockets(asked, ...states) {
        const sockets = portsOf(linux()).sockets(asked, ...states) ?? [];
        if (states.includes('LISTEN')) return sockets.flatMap((socket) => [socket, { ...socket, inode: -1 }]);
        looks++;
        return handshakes.map((peer) => ({ peer }) as PortSocket);
      },
      ...overrides,
    });
  }

  function drain(overrides: Partial<PortCalls> = {}, rest: Partial<Platform> = {}): void {
    drainOnClose({ ...kernel(overrides), ...rest }, asNetServer(server), listenHandleOf(server));
  }

  const isOpen = (): boolean => portsOf(linux()).sockets(port, 'LISTEN')?.length === 1;
  const queued = (): number => portsOf(linux()).sockets(port, 'LISTEN')?.[0]?.queued ?? 0;

  /** A client that the kernel has accepted, and Node has not: there is no turn of the event loop in between. */
  async function waitingClient(): Promise<Socket> {
    const before = queued();
    const client = connect(port, '127.0.0.1');
    clients.push(client);
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const start = performance.now();
    while (queued() === before && performance.now() - start < PATIENCE_MS);
    expect(queued()).to.equal(before + 1);
    return client;
  }

  it('would reset the clients in its accept queue, were it not for that', async () => {
    const client = await waitingClient();
    server.close();
    const [error] = await once(client, 'error');
    expect(error).to.have.property('code', 'ECONNRESET');
    expect(events).to.deep.equal(['close']);
  });

  it('serves the clients in its accept queue, closes its descriptor at once, and then says so', async () => {
    drain();
    const waiting = [await waitingClient(), await waitingClient()];
    server.close();
    // Not within close(), where an app does not expect it.
    expect(events).to.deep.equal([]);
    expect(isOpen()).to.equal(false);
    const answers = await Promise.all(waiting.map(received));
    expect(answers.map(String)).to.deep.equal(['hello', 'hello']);
    await until('the server has closed', () => events.includes('close'));
    expect(events).to.deep.equal(['connection', 'connection', 'close']);
  });

  it('ends at once where nobody waits', async () => {
    drain();
    server.close();
    expect(isOpen()).to.equal(false);
    expect(looks).to.equal(1);
    await once(server, 'close');
  });

  it('waits for handshakes under way, and serves those clients too', async () => {
    // A filter would keep the client out, who stands for one whose handshake has begun.
    drain({ ignoreNewcomers: () => 0 });
    handshakes = ['127.0.0.1:1', '127.0.0.1:2'];
    server.close();
    const client = await waitingClient();
    await turns();
    handshakes = ['127.0.0.1:2'];
    await turns();
    // Accepted by the drain, or by Node, which goes on meanwhile.
    expect([isOpen(), queued()]).to.deep.equal([true, 0]);
    handshakes = [];
    expect(String(await received(client))).to.equal('hello');
    await until('the server has closed', () => events.includes('close'));
    expect([isOpen(), events]).to.deep.equal([false, ['connection', 'close']]);
  });

  it('waits no longer than a handshake needs', async () => {
    drain();
    handshakes = ['127.0.0.1:1'];
    const start = performance.now();
    server.close();
    await until('the server has closed', () => events.includes('close'));
    expect(performance.now() - start).to.be.within(1990, PATIENCE_MS);
  });

  it('does not wait for handshakes that began later: they are those of other listeners', async () => {
    drain();
    handshakes = ['127.0.0.1:1'];
    server.close();
    expect(looks).to.equal(1);
    handshakes = ['127.0.0.1:2'];
    await until('it has closed', () => !isOpen());
    expect(looks).to.equal(2);
  });

  it("has newcomers begin anew, who are the other listeners' then", async () => {
    drain();
    handshakes = ['127.0.0.1:1'];
    server.close();
    const client = connect(port, '127.0.0.1').on('error', () => undefined);
    clients.push(client);
    await turns();
    expect(isOpen()).to.equal(true);
    expect([client.connecting, queued()]).to.deep.equal([true, 0]);
  });

  it('takes clients at their handshake from now on, also where it waited for their data', () => {
    const handle = listenHandleOf(server);
    setKernelValue(handle, 'TCP_DEFER_ACCEPT', 3);
    expect(kernelValue(handle, 'TCP_DEFER_ACCEPT')).to.be.greaterThan(0);
    drain();
    handshakes = ['127.0.0.1:1'];
    server.close();
    expect(kernelValue(handle, 'TCP_DEFER_ACCEPT')).to.equal(0);
  });

  it('is not one of this thread any more while it drains', () => {
    addOwnPort(listenHandleOf(server), 0);
    drain();
    handshakes = ['127.0.0.1:1'];
    expect(overlapsOwnPort('127.0.0.1', port, 0)).to.equal(true);
    server.close();
    expect(isOpen()).to.equal(true);
    expect(overlapsOwnPort('127.0.0.1', port, 0)).to.equal(false);
  });

  it('closes at once where the kernel cannot ignore newcomers, and serves who waits', async () => {
    for (const errno of [EPERM, ENOPROTOOPT]) {
      if (!server.listening) {
        events = [];
        await listening(server);
        port = portOf(server);
      }
      drain({ ignoreNewcomers: () => errno });
      handshakes = ['127.0.0.1:1'];
      const client = await waitingClient();
      server.close();
      expect(isOpen()).to.equal(false);
      expect(String(await received(client))).to.equal('hello');
      await until('the server has closed', () => events.includes('close'));
    }
    expect(looks).to.equal(0);
  });

  it('gives back a descriptor that it cannot serve', async () => {
    // libuv opens no handle for a descriptor that is not there.
    const useless = 1_000_000;
    const fds = [useless];
    const closed: number[] = [];
    drain({ accept: () => fds.pop() ?? -EAGAIN }, { close: (fd) => closed.push(fd) });
    server.close();
    expect(closed).to.deep.equal([useless]);
    await once(server, 'close');
    expect(events).to.deep.equal(['close']);
  });

  const WITHOUT_DRAIN: Readonly<Record<string, Partial<PortCalls>>> = {
    'no other listener shares the port': { sockets: (...asked) => portsOf(linux()).sockets(...asked) },
    'the system does not tell who shares the port': { sockets: () => undefined },
    'the kernel gives its connections to the others by itself': { migratesConnections: () => true },
  };

  for (const [why, overrides] of Object.entries(WITHOUT_DRAIN)) {
    it(`closes as ever where ${why}`, async () => {
      let isTouched = false;
      const touch = (): number => {
        isTouched = true;
        return 0;
      };
      drain({ ...overrides, ignoreNewcomers: touch, accept: () => touch() - EAGAIN }, { set: touch });
      server.close();
      expect(isOpen()).to.equal(false);
      await once(server, 'close');
      expect(isTouched).to.equal(false);
    });
  }

  describe('and its server listens again', () => {
    it('ends, and delivers what it has accepted, before the server goes on', async () => {
      drain();
      handshakes = ['127.0.0.1:1'];
      const client = await waitingClient();
      server.close();
      expect([isOpen(), events]).to.deep.equal([true, []]);
      endDrain(server);
      expect([isOpen(), events]).to.deep.equal([false, ['connection']]);
      expect(String(await received(client))).to.equal('hello');
      await until('the server has closed', () => events.includes('close'));
      expect(events).to.deep.equal(['connection', 'close']);
      const before = looks;
      await turns();
      expect(looks).to.equal(before);
    });

    it('says only once that it is closed', async () => {
      drain();
      handshakes = ['127.0.0.1:1'];
      server.close();
      endDrain(server);
      await turns();
      expect(events).to.deep.equal(['close']);
    });

    it('delivers once, where it has closed its descriptor already', async () => {
      let accepts = 0;
      drain({
        accept(handle) {
          accepts++;
          return portsOf(linux()).accept(handle);
        },
      });
      const client = await waitingClient();
      server.close();
      expect([isOpen(), events]).to.deep.equal([false, []]);
      const before = accepts;
      endDrain(server);
      expect(accepts).to.equal(before);
      expect(events).to.deep.equal(['connection']);
      expect(String(await received(client))).to.equal('hello');
      await until('the server has closed', () => events.includes('close'));
      await turns();
      expect(events).to.deep.equal(['connection', 'close']);
    });

    it('does nothing to a server that does not drain', () => {
      endDrain(server);
      expect(isOpen()).to.equal(true);
    });
  });
});
