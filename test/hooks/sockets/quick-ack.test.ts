import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import http from 'node:http';
import net, { type Server, Socket } from 'node:net';
import { createServer as createSecureServer, connect as secureConnect } from 'node:tls';
import { expect } from 'chai';
import { isQuickAckInstalled, quickAckHook } from '../../../src/hooks/sockets/quick-ack.js';
import { counters } from '../../../src/report/counters.js';
import { hookContext } from '../../support/hook-context.js';
import { kernelValue, linux, setKernelValue } from '../../support/sockets/kernel-value.js';
import { SHARED_KEY, SHARED_KEY_CLIENT } from '../../support/sockets/secure-pair.js';
import { handleOf, listening, reach } from '../../support/sockets/socket-pair.js';
import { useInstalled } from '../../support/test-run/installed.js';
import { until } from '../../support/until.js';

const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n';
const BODY = '0123456789';

describe('quick ACKs', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  describe('where they are on', () => {
    useInstalled({ quickAck: 'on' });
    const servers: Server[] = [];
    const clients: Socket[] = [];

    afterEach(() => {
      for (const socket of clients.splice(0)) socket.destroy();
      for (const server of servers.splice(0)) server.close();
    });

    async function serve<S extends Server>(server: S): Promise<S> {
      servers.push(server);
      await listening(server);
      return server;
    }

    async function client(server: Server): Promise<Socket> {
      const socket = net.connect({ ...reach(server), noDelay: true });
      clients.push(socket);
      await once(socket, 'connect');
      return socket;
    }

    /** How often they were armed again meanwhile. */
    async function armed(act: () => Promise<unknown>): Promise<number> {
      const before = counters.quickAcks;
      await act();
      return counters.quickAcks - before;
    }

    /** An answer has come to what was written. */
    async function answered(socket: Socket, text: string): Promise<void> {
      const answer = once(socket, 'data');
      socket.write(text);
      await answer;
    }

    function echo(): Promise<Server> {
      return serve(
        http.createServer((request, response) => {
          request.resume().on('end', () => response.end('thanks'));
        }),
      );
    }

    it('are not asked for by a request that comes in one piece: its answer brings the ACK', async () => {
      const socket = await client(await echo());
      expect(await armed(() => answered(socket, HEAD + BODY))).to.equal(0);
    });

    it('are not asked for by further requests in one piece on the same connection', async () => {
      const socket = await client(await echo());
      await answered(socket, HEAD + BODY);
      expect(await armed(() => answered(socket, HEAD + BODY))).to.equal(0);
      expect(await armed(() => answered(socket, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))).to.equal(0);
    });

    /** A plain server's end of a connection, which does not answer by itself. */
    async function silent(): Promise<{ accepted: Socket; socket: Socket }> {
      const server = await serve(net.createServer());
      const accepting = once(server, 'connection');
      const socket = await client(server);
      const [accepted] = await accepting;
      return { accepted, socket };
    }

    /** Some bytes are read, and whatever that leads to is done. */
    async function read(socket: Socket, accepted: Socket): Promise<void> {
      const data = once(accepted, 'data');
      socket.write('x');
      await data;
      await new Promise(setImmediate);
    }

    /** How often the end of a tick was waited for meanwhile. */
    async function ticks(act: () => Promise<unknown>): Promise<number> {
      let queued = 0;
      const hook = createHook({
        init(_, type) {
          if (type === 'TickObject' && /quick-ack\.js/.test(new Error('of whom').stack ?? '')) queued++;
        },
      }).enable();
      await act();
      hook.disable();
      return queued;
    }

    it('wait for nothing where a request is answered at once, which is before Node tells that it is complete', async () => {
      const server = await serve(http.createServer((_, response) => response.end('thanks')));
      const socket = await client(server);
      expect(await ticks(() => answered(socket, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'))).to.equal(0);
    });

    it('wait for the end of the tick in which a part of a request has come', async () => {
      const { accepted, socket } = await silent();
      accepted.resume();
      expect(await ticks(() => read(socket, accepted))).to.equal(1);
    });

    it('are asked for by the first piece of a request that comes in two', async () => {
      const server = await echo();
      const accepting = once(server, 'connection');
      const socket = await client(server);
      const [accepted] = await accepting;
      for (const [first, second] of [
        [HEAD, BODY],
        [HEAD.slice(0, 20), HEAD.slice(20) + BODY],
        [HEAD + BODY.slice(0, 3), BODY.slice(3)],
      ] as const) {
        const whole = await armed(() => answered(socket, HEAD + BODY));
        const split = await armed(async () => {
          const { bytesRead } = accepted;
          socket.write(first);
          await until('the server has read the first piece', () => accepted.bytesRead > bytesRead);
          await answered(socket, second);
        });
        expect(split, first).to.be.greaterThan(whole);
      }
    });

    it('are asked for by a read that a plain server does not answer at once, on the very connection', async () => {
      const { accepted, socket } = await silent();
      accepted.resume();
      setKernelValue(handleOf(accepted), 'TCP_QUICKACK', 0);
      expect(kernelValue(handleOf(accepted), 'TCP_QUICKACK')).to.equal(0);
      expect(await armed(() => read(socket, accepted))).to.equal(1);
      expect(kernelValue(handleOf(accepted), 'TCP_QUICKACK')).to.equal(1);
      expect(await armed(() => read(socket, accepted))).to.equal(1);
    });

    it('are not asked for by a read that is answered at once: the answer brings the ACK', async () => {
      const { accepted, socket } = await silent();
      accepted.on('data', () => accepted.write('thanks'));
      expect(await armed(() => read(socket, accepted))).to.equal(0);
      accepted.removeAllListeners('data').resume();
      expect(await armed(() => read(socket, accepted))).to.equal(1);
    });

    async function readOften(socket: Socket, accepted: Socket, times: number): Promise<void> {
      for (let time = 0; time < times; time++) await read(socket, accepted);
    }

    /** Read until that is left to the kernel. A machine that stands still for a moment ends what came in bulk. */
    async function readInBulk(socket: Socket, accepted: Socket): Promise<void> {
      await until(
        'reads in bulk are left to the kernel',
        async () => (await armed(() => read(socket, accepted))) === 0,
      );
    }

    /** Longer than a connection in bulk is left alone: its timer, which is shorter, has run out before. */
    const silence = () => new Promise((resolve) => setTimeout(resolve, 30));

    it('are left to the kernel where much comes in without an answer, until that ends', async () => {
      const { accepted, socket } = await silent();
      accepted.resume();
      const asked = await armed(() => readOften(socket, accepted, 300));
      // A machine that is slow may have it end now and then.
      expect(asked).to.be.within(32, 299);
      await readInBulk(socket, accepted);
      expect(await armed(silence), 'for the last of it').to.equal(1);
      expect(await armed(silence), 'once').to.equal(0);
      expect(await armed(() => read(socket, accepted)), 'for what comes next').to.equal(1);
    });

    it('are asked for again when what came in bulk was answered', async () => {
      const { accepted, socket } = await silent();
      accepted.resume();
      await readInBulk(socket, accepted);
      accepted.write('thanks');
      await silence();
      expect(await armed(() => read(socket, accepted))).to.equal(1);
    });

    it('hold nothing of a connection that goes away in bulk', async () => {
      const { accepted, socket } = await silent();
      accepted.resume();
      await readInBulk(socket, accepted);
      const closed = once(accepted, 'close');
      accepted.destroy();
      await closed;
      expect(await armed(silence)).to.equal(0);
    });

    it('are asked for on the connection below TLS', async () => {
      const server = await serve(createSecureServer(SHARED_KEY));
      const accepting = once(server, 'secureConnection');
      const socket = secureConnect({ ...reach(server), ...SHARED_KEY_CLIENT });
      clients.push(socket);
      const [[accepted]] = await Promise.all([accepting, once(socket, 'secureConnect')]);
      accepted.resume();
      expect(await armed(() => read(socket, accepted))).to.be.greaterThan(0);
    });

    it('are not asked for by writing, nor on connections that were made from here', async () => {
      const server = await serve(net.createServer((accepted) => void accepted.write('greeting')));
      const socket = net.connect(reach(server));
      clients.push(socket);
      expect(await armed(() => once(socket, 'data'))).to.equal(0);
    });
  });

  it('are left alone where they are not on, or the system has none', () => {
    const before = Reflect.get(Socket.prototype, '_unrefTimer');
    for (const context of [
      hookContext({}, linux()),
      hookContext({ quickAck: 'off' }, linux()),
      hookContext({ quickAck: 'once' }, linux()),
      hookContext({ quickAck: 'on' }, { ...linux(), constants: {} }),
    ]) {
      expect(quickAckHook.install(context)).to.equal(undefined);
      expect(isQuickAckInstalled()).to.equal(false);
    }
    expect(Reflect.get(Socket.prototype, '_unrefTimer')).to.equal(before);
  });

  it('are looked after until the hook is undone', () => {
    const before = Reflect.get(Socket.prototype, '_unrefTimer');
    const undo = quickAckHook.install(hookContext({ quickAck: 'on' }, linux()));
    expect(isQuickAckInstalled()).to.equal(true);
    expect(Reflect.get(Socket.prototype, '_unrefTimer')).not.to.equal(before);
    undo?.();
    expect(isQuickAckInstalled()).to.equal(false);
    expect(Reflect.get(Socket.prototype, '_unrefTimer')).to.equal(before);
  });
});
