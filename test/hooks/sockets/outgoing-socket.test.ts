import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type LookupFunction, type Socket } from 'node:net';
import tls from 'node:tls';
import { expect } from 'chai';
import { outgoingRecord } from '../../../src/report/socket-record.js';
import { useScratch } from '../../support/files/scratch.js';
import { makeCertificate } from '../../support/sockets/certificate.js';
import { kernelValue } from '../../support/sockets/kernel-value.js';
import { echoPeer, nameOf, OUTGOING_VALUES, type Peer, TUNED, valuesOf } from '../../support/sockets/outgoing.js';
import { handleOf, listenHandleOf, listening, portOf, socketPair } from '../../support/sockets/socket-pair.js';
import { useInstalled } from '../../support/test-run/installed.js';

describe('a socket that the process opens', () => {
  const scratch = useScratch();
  let certificate: { key: Buffer; cert: Buffer };
  let peer: Peer;
  let securePeer: Peer;
  const sockets: Socket[] = [];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    const { key, cert } = makeCertificate(scratch.path('.'));
    certificate = { key: readFileSync(key), cert: readFileSync(cert) };
    peer = await echoPeer();
    securePeer = await echoPeer(tls.createServer(certificate));
  });

  after(() => {
    peer?.close();
    securePeer?.close();
  });

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function connected<S extends Socket>(socket: S): Promise<S> {
    sockets.push(socket);
    await once(socket, socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect');
    // What we set again after Node has had its say.
    await new Promise(setImmediate);
    return socket;
  }

  /** The response to a request, whose end is still to come. */
  async function answered(request: http.ClientRequest): Promise<http.IncomingMessage> {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    sockets.push(response.socket);
    return response;
  }

  const secure = () => ({ host: '127.0.0.1', port: securePeer.port, ca: certificate.cert, servername: 'localhost' });

  it('is left alone where outgoing sockets are not tuned', async () => {
    const values = valuesOf(await connected(net.connect(peer.port, '127.0.0.1')));
    for (const [key, value] of Object.entries(TUNED)) expect(values, key).not.to.include({ [key]: value });
  });

  describe('where these are tuned', () => {
    useInstalled({ connect: OUTGOING_VALUES });

    const CLIENTS: Readonly<Record<string, () => Promise<Socket>>> = {
      'by net.connect(port, host)': () => connected(net.connect(peer.port, '127.0.0.1')),
      'by net.connect(options)': () => connected(net.connect({ port: peer.port, host: '127.0.0.1' })),
      'by new net.Socket().connect()': () => connected(new net.Socket().connect(peer.port, '127.0.0.1')),
      'by a class of the app’s': () => {
        class Connection extends net.Socket {}
        return connected(new Connection().connect(peer.port, '127.0.0.1'));
      },
      'to a name': () => connected(net.connect({ port: peer.port, host: 'localhost', family: 4 })),
      'to a name whose first address refuses': () =>
        connected(net.connect({ port: peer.port, host: 'x', lookup: nameOf('::1', '127.0.0.1') })),
      'from an address of the app’s choice': () =>
        connected(net.connect({ port: peer.port, host: '127.0.0.1', localAddress: '127.0.0.2' })),
      'by tls.connect()': () => connected(tls.connect(secure())),
      'by tls.connect() to a name whose first address refuses': () =>
        connected(tls.connect({ ...secure(), host: 'x', lookup: nameOf('::1', '127.0.0.1') })),
      'by tls.connect() over a socket that is there': async () => {
        const socket = await connected(net.connect(securePeer.port, '127.0.0.1'));
        const wrapped = await connected(tls.connect({ ...secure(), socket }));
        expect(valuesOf(socket)).to.deep.equal(valuesOf(wrapped));
        return wrapped;
      },
    };

    for (const [title, client] of Object.entries(CLIENTS)) {
      it(`has the options, opened ${title}`, async () => {
        const before = outgoingRecord.sockets;
        const socket = await client();
        expect(valuesOf(socket)).to.deep.equal(TUNED);
        expect(outgoingRecord.sockets).to.be.above(before);
        const [greeting] = await once(socket, 'data');
        socket.write('bytes go both ways');
        const [echo] = await once(socket, 'data');
        expect([String(greeting), String(echo)]).to.deep.equal(['hello', 'bytes go both ways']);
      });
    }

    it('has the options where the app has bound it ahead (net.BoundSocket, Node 24)', async function () {
      const BoundSocket: unknown = Reflect.get(net, 'BoundSocket');
      if (typeof BoundSocket !== 'function') this.skip();
      const handle: unknown = Reflect.construct(BoundSocket, [{ host: '127.0.0.5' }]);
      const socket: Socket = Reflect.construct(net.Socket, [{ handle }]);
      await connected(socket.connect(peer.port, '127.0.0.1'));
      expect(socket.localAddress).to.equal('127.0.0.5');
      expect(valuesOf(socket)).to.deep.equal(TUNED);
    });

    it('has the options on IPv6', async function () {
      const six = await echoPeer(net.createServer(), '::1').catch(() => this.skip());
      const socket = await connected(net.connect(six.port, '::1'));
      expect(socket.remoteFamily).to.equal('IPv6');
      expect(valuesOf(socket)).to.deep.equal(TUNED);
      six.close();
    });

    describe('for HTTP', () => {
      const web = { server: http.createServer(), secureServer: undefined as https.Server | undefined };
      const unended: http.ServerResponse[] = [];
      const answer: http.RequestListener = (_request, response) => {
        response.write('a part');
        unended.push(response);
      };

      /** The end of the answers, for which their sockets stay open until they have been looked at. */
      function endAnswers(): void {
        for (const response of unended.splice(0)) response.end();
      }

      before(async () => {
        web.server.on('request', answer);
        await listening(web.server);
        web.secureServer = https.createServer(certificate, answer);
        await listening(web.secureServer);
      });

      after(() => {
        for (const server of [web.server, web.secureServer]) {
          server?.close();
          server?.closeAllConnections();
        }
      });

      it('has the options, opened by http.get()', async () => {
        const { socket } = await answered(http.get({ port: portOf(web.server), host: '127.0.0.1', agent: false }));
        expect(valuesOf(socket)).to.deep.equal(TUNED);
      });

      it('has the options, opened by https.get()', async () => {
        const { secureServer } = web;
        if (secureServer === undefined) throw new Error('no server');
        const { socket } = await answered(https.get({ ...secure(), port: portOf(secureServer), agent: false }));
        expect(valuesOf(socket)).to.deep.equal(TUNED);
      });

      it('keeps them in the pool of an http.Agent, whose delay is its own', async () => {
        const agent = new http.Agent({ keepAlive: true, keepAliveMsecs: 5000 });
        const to = { port: portOf(web.server), host: '127.0.0.1', agent };
        const ours = { ...TUNED, idle: 5 };
        const seen: Socket[] = [];
        for (let round = 0; round < 3; round++) {
          const response = await answered(http.get(to));
          const { socket } = response;
          expect(valuesOf(socket), `request ${round}`).to.deep.equal(ours);
          const freed = once(agent, 'free');
          response.resume();
          endAnswers();
          await freed;
          expect(valuesOf(socket), `idle after request ${round}`).to.deep.equal(ours);
          seen.push(socket);
        }
        expect(new Set(seen).size).to.equal(1);
        agent.destroy();
      });

      it('has the options, opened by fetch(), whose delay is its own', async () => {
        const opened: Socket[] = [];
        const onSocket = (message: unknown): void => {
          opened.push((message as { socket: Socket }).socket);
        };
        channel('net.client.socket').subscribe(onSocket);
        const response = await fetch(`http://127.0.0.1:${portOf(web.server)}/`);
        channel('net.client.socket').unsubscribe(onSocket);
        const [socket] = opened;
        if (socket === undefined) throw new Error('fetch() opened no socket');
        // It says setKeepAlive(true, 60_000).
        expect(valuesOf(socket)).to.deep.equal({ ...TUNED, idle: 60 });
        endAnswers();
        expect(await response.text()).to.equal('a part');
        socket.destroy();
      });
    });

    it('keeps its options when it is a server’s: those of connections are others', async () => {
      const server = await listening();
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(0);
      const client = net.connect(portOf(server), '127.0.0.1');
      sockets.push(client);
      const [accepted] = (await once(server, 'connection')) as [Socket];
      sockets.push(accepted);
      expect(kernelValue(handleOf(accepted), 'TCP_USER_TIMEOUT')).to.equal(0);
      server.close();
    });

    it('is left alone if it is a Unix socket', async () => {
      const before = outgoingRecord.sockets;
      const pair = await socketPair(scratch.path('socket'));
      expect(outgoingRecord.sockets).to.equal(before);
      pair.client.write('as ever');
      const [data] = await once(pair.accepted, 'data');
      expect(String(data)).to.equal('as ever');
      pair.close();
    });
  });

  describe('the very first where these are tuned', () => {
    /** Answers while `connect()` runs, so that the socket begins to connect before that returns. */
    const atOnce: LookupFunction = (_host, options, callback) => {
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    };
    useInstalled({ connect: OUTGOING_VALUES });

    it('has the options even if it connects within connect()', async () => {
      const socket = net.connect({ port: peer.port, host: 'x', lookup: atOnce });
      expect(Object.hasOwn(socket, '_handle')).to.equal(false);
      await connected(socket);
      expect(valuesOf(socket)).to.deep.equal(TUNED);
    });
  });
});
