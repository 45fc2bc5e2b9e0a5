import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type LookupFunction, type Socket } from 'node:net';
import tls from 'node:tls';
import { expect } from 'chai';
import { type Connect, type ConnectingHandle, ownerOf } from '../../../src/node/net.js';
import { replaceMethod } from '../../../src/node/patch/replace.js';
import { useScratch } from '../../support/files/scratch.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import { freePort } from '../../support/sockets/free-port.js';
import { echoPeer, nameOf, OUTGOING_VALUES, type Peer, TUNED, valuesOf } from '../../support/sockets/outgoing.js';
import { connection, handleOf, listening } from '../../support/sockets/socket-pair.js';
import { useInstalled } from '../../support/test-run/installed.js';

/** See `keepAliveDetails` in src/node/versions.ts. */
const TAKES_INTERVAL = net.Socket.prototype.setKeepAlive.length >= 4;

/** When the app says what it has to say. */
const TIMES = ['before connect()', 'after connect()', 'once it is connected'] as const;

/** What kinds of sockets there are to say it of. */
const WAYS = {
  'a plain socket': { isSecure: false, addresses: ['127.0.0.1'] },
  'a plain socket whose first address refuses': { isSecure: false, addresses: ['::1', '127.0.0.1'] },
  'a TLS socket': { isSecure: true, addresses: ['127.0.0.1'] },
  'a TLS socket whose first address refuses': { isSecure: true, addresses: ['::1', '127.0.0.1'] },
} as const;

describe('what an app says of a socket that it opens', () => {
  const scratch = useScratch();
  let peers: { plain: Peer; secure: Peer };
  let certificate: Buffer;
  const sockets: Socket[] = [];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    const { key, cert } = makeCertificate(scratch.path('.'));
    certificate = readFileSync(cert);
    const secure = tls.createServer({ key: readFileSync(key), cert: certificate });
    peers = { plain: await echoPeer(), secure: await echoPeer(secure) };
  });

  after(() => {
    peers?.plain.close();
    peers?.secure.close();
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function settled(socket: Socket): Promise<void> {
    sockets.push(socket);
    await once(socket, socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect');
    await new Promise(setImmediate);
  }

  /** A socket of which something is said at some time, once it is connected. */
  async function spokenOf(
    { isSecure, addresses }: (typeof WAYS)[keyof typeof WAYS],
    time: (typeof TIMES)[number],
    say: (socket: Socket) => unknown,
  ): Promise<Socket> {
    const port = isSecure ? peers.secure.port : peers.plain.port;
    const to = { port, host: 'localhost', lookup: nameOf(...addresses) };
    // tls.connect() makes the socket and connects it at once.
    const socket = isSecure ? tls.connect({ ...to, ca: certificate, servername: 'localhost' }) : new net.Socket();
    if (time === 'before connect()') say(socket);
    if (!isSecure) socket.connect(to);
    if (time === 'after connect()') say(socket);
    await settled(socket);
    if (addresses.length > 1) expect(socket.autoSelectFamilyAttemptedAddresses).to.have.length(2);
    if (time === 'once it is connected') say(socket);
    return socket;
  }

  describe('that is tuned', () => {
    useInstalled({ connect: OUTGOING_VALUES });

    for (const [way, about] of Object.entries(WAYS)) {
      for (const time of TIMES) {
        it(`holds: no setNoDelay, said ${time} of ${way}`, async () => {
          const { noDelay, ...rest } = valuesOf(await spokenOf(about, time, (socket) => socket.setNoDelay(false)));
          const { noDelay: _, ...tuned } = TUNED;
          expect(noDelay).to.equal(0);
          expect(rest).to.deep.equal(tuned);
        });

        it(`holds: no keepalive, said ${time} of ${way}`, async () => {
          const values = valuesOf(await spokenOf(about, time, (socket) => socket.setKeepAlive(false)));
          expect(values).to.include({ keepAlive: 0, noDelay: 1, userTimeout: TUNED.userTimeout });
        });

        it(`holds as to the delay of keepalive, said ${time} of ${way}, and interval and count are ours`, async () => {
          const values = valuesOf(await spokenOf(about, time, (socket) => socket.setKeepAlive(true, 5000)));
          // Before there is a connection, libuv cannot store the delay; Node says it again when there is one.
          expect(values).to.deep.equal({ ...TUNED, idle: 5 });
        });

        it(`holds as to all of keepalive, said ${time} of ${way}`, async function () {
          if (!TAKES_INTERVAL) this.skip();
          const say = (socket: Socket) => Reflect.apply(socket.setKeepAlive, socket, [true, 5000, 3000, 2]);
          const values = valuesOf(await spokenOf(about, time, say));
          expect(values).to.deep.equal({ ...TUNED, idle: 5, interval: 3, count: 2 });
        });

        it(`holds as to what of keepalive it names in an object, said ${time} of ${way}`, async function () {
          if (!TAKES_INTERVAL) this.skip();
          const say = (socket: Socket) =>
            Reflect.apply(socket.setKeepAlive, socket, [{ enable: true, initialDelay: 5000, count: 2 }]);
          const values = valuesOf(await spokenOf(about, time, say));
          expect(values).to.deep.equal({ ...TUNED, idle: 5, count: 2 });
        });
      }
    }

    it('holds as it was said last', async () => {
      const changed = await spokenOf(WAYS['a plain socket'], 'before connect()', (socket) => {
        socket.setNoDelay(false).setNoDelay(true);
        socket.setKeepAlive(false).setKeepAlive(true, 5000);
      });
      expect(valuesOf(changed)).to.deep.equal({ ...TUNED, idle: 5 });
    });

    it('holds if it was said between two addresses', async () => {
      const socket = net.connect({ port: peers.plain.port, host: 'x', lookup: nameOf('::1', '127.0.0.1') });
      socket.once('connectionAttemptFailed', () => {
        expect(valuesOf(socket)).to.include({ noDelay: 1, keepAlive: 1 });
        socket.setNoDelay(false).setKeepAlive(false);
      });
      await settled(socket);
      expect(valuesOf(socket)).to.include({ noDelay: 0, keepAlive: 0, userTimeout: TUNED.userTimeout });
    });

    it('holds for the second address of a TLS socket, though another one connects within its connect()', async () => {
      const to = { port: peers.secure.port, ca: certificate, servername: 'localhost' };
      const atOnce: LookupFunction = (_host, _options, callback) => callback(null, '127.0.0.1', 4);
      const toInner = { ...to, host: 'y', family: 4, lookup: atOnce };
      const inner: Socket[] = [];
      let innerSettled: Promise<unknown> | undefined;
      const first = net.connect(peers.plain.port, '127.0.0.1');
      await settled(first);
      // Runs between the connect() of TLS and that of TCP, where the handle of the second address has no owner.
      const undo = replaceMethod<Connect>(
        Object.getPrototypeOf(handleOf(first)),
        'connect',
        (original) =>
          function (this: ConnectingHandle, ...args) {
            const hasOwner = ownerOf(this) instanceof net.Socket;
            if (!hasOwner && inner.length === 0) {
              inner.push(tls.connect(toInner));
              innerSettled = Promise.all(inner.map(settled));
            }
            return original.apply(this, args);
          },
      );
      const outer = tls.connect({ ...to, host: 'x', lookup: nameOf('::1', '127.0.0.1') });
      outer.setNoDelay(false);
      await settled(outer);
      undo();
      await innerSettled;
      expect(inner).to.have.length(1);
      expect(valuesOf(outer)).to.include({ noDelay: 0, keepAlive: 1 });
      for (const socket of inner) expect(valuesOf(socket)).to.include({ noDelay: 1, keepAlive: 1 });
    });

    it('holds for the next connection of the same socket, as in stock Node', async () => {
      const socket = await spokenOf(WAYS['a plain socket'], 'once it is connected', (one) => one.setNoDelay(false));
      socket.destroy();
      await once(socket, 'close');
      socket.connect(peers.plain.port, '127.0.0.1');
      await settled(socket);
      expect(valuesOf(socket)).to.include({ noDelay: 0, keepAlive: 1 });
    });

    it('holds as an option of net.connect()', async () => {
      const to = { port: peers.plain.port, host: '127.0.0.1', keepAlive: true, keepAliveInitialDelay: 5000 };
      const socket = net.connect(to);
      await settled(socket);
      expect(valuesOf(socket)).to.deep.equal({ ...TUNED, idle: 5 });
    });

    it('holds in the handler of ‘connect’', async () => {
      const socket = net.connect(peers.plain.port, '127.0.0.1');
      socket.once('connect', () => {
        expect(valuesOf(socket)).to.deep.equal(TUNED);
        socket.setNoDelay(false).setKeepAlive(true, 9000);
      });
      await settled(socket);
      expect(valuesOf(socket)).to.deep.equal({ ...TUNED, noDelay: 0, idle: 9 });
    });

    it('holds on a request, whichever way it is said', async () => {
      const server = http.createServer((_request, answer) => answer.write('a part'));
      await listening(server);
      const { port } = server.address() as net.AddressInfo;
      const request = http.get({ port, host: '127.0.0.1', agent: false });
      request.setNoDelay(false);
      request.setSocketKeepAlive(false);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      expect(valuesOf(response.socket)).to.include({ noDelay: 0, keepAlive: 0, userTimeout: TUNED.userTimeout });
      request.destroy();
      server.close();
      server.closeAllConnections();
    });

    it('makes no difference to a socket that does not come to be', async () => {
      const socket = net.connect(await freePort(), '127.0.0.1');
      expect(socket.setNoDelay(false).setKeepAlive(false)).to.equal(socket);
      const [error] = await once(socket, 'error');
      expect(error).to.include({ code: 'ECONNREFUSED' });
      expect(socket.setNoDelay(true).setKeepAlive(true, 5000)).to.equal(socket);
    });
  });

  describe('that is accepted, from a server that is tuned', () => {
    useInstalled(OUTGOING_VALUES);
    const wished = [true, 5000, 3000, 2] as const;

    before(function () {
      if (!TAKES_INTERVAL) this.skip();
    });

    it('holds as to the interval and count of keepalive', async () => {
      const server = await listening();
      const pair = await connection(server);
      expect(valuesOf(pair.accepted)).to.deep.equal(TUNED);
      Reflect.apply(pair.accepted.setKeepAlive, pair.accepted, wished);
      expect(valuesOf(pair.accepted)).to.deep.equal({ ...TUNED, idle: 5, interval: 3, count: 2 });
      pair.accepted.setKeepAlive(true, 6000);
      expect(valuesOf(pair.accepted)).to.deep.equal({ ...TUNED, idle: 6 });
      pair.close();
      server.close();
    });

    it('holds if it was said in the handler of ‘connection’, where Node has set it before', async () => {
      const server = await listening(net.createServer({ keepAlive: true, keepAliveInitialDelay: 9000 }));
      const first = await connection(server);
      await new Promise(setImmediate);
      expect(valuesOf(first.accepted)).to.deep.equal({ ...TUNED, idle: 9 });
      server.once('connection', (socket) => Reflect.apply(socket.setKeepAlive, socket, wished));
      const second = await connection(server);
      await new Promise(setImmediate);
      expect(valuesOf(second.accepted)).to.deep.equal({ ...TUNED, idle: 5, interval: 3, count: 2 });
      first.close();
      second.close();
      server.close();
    });
  });
});
