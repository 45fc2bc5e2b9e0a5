import { once } from 'node:events';
import net, { type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { listenerHook } from '../../src/hooks/sockets/listener.js';
import { outgoingSocketHook } from '../../src/hooks/sockets/outgoing-socket.js';
import type { Platform } from '../../src/native/platform.js';
import { portOfConnect } from '../../src/node/net.js';
import type { OptionKey, OptionValues } from '../../src/options/table.js';
import { listenerRecords } from '../../src/report/listener-record.js';
import { outgoingRecord } from '../../src/report/socket-record.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../support/hook-context.js';
import { kernelValue, linux } from '../support/sockets/kernel-value.js';
import { echoPeer, nameOf, type Peer } from '../support/sockets/outgoing.js';
import { handleOf, listenHandleOf, portOf } from '../support/sockets/socket-pair.js';
import { warningsDuring } from '../support/test-run/warnings.js';

/** Of the blocks that are for documentation (RFC 5737, 3849): on no interface. */
const ABSENT = { IPv4: '192.0.2.7', IPv6: '2001:db8::7' } as const;

/** What an option of IPv4 is called for IPv6 sockets: include/uapi/linux/in6.h. */
const IPV6_FORM = { freeBind: { level: 41, name: 78 }, transparent: { level: 41, name: 75 } } as const;

describe('an option of the address that a socket is bound to', () => {
  let peer: Peer;
  let undo: (() => void) | undefined;
  const servers: Server[] = [];
  const sockets: Socket[] = [];

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    peer = await echoPeer();
  });

  after(() => peer?.close());

  afterEach(() => {
    undo?.();
    undo = undefined;
    for (const server of servers.splice(0)) server.close();
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function listen(host: string): Promise<Server> {
    const server = net.createServer((socket) => socket.end('hello')).listen(0, host);
    servers.push(server);
    await once(server, 'listening');
    return server;
  }

  async function connect(options: Partial<net.TcpNetConnectOpts>): Promise<Socket> {
    const socket = net.connect({ port: peer.port, host: '127.0.0.1', ...options });
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  function listens(values: OptionValues, platform = observedPlatform()): ObservedPlatform {
    undo = listenerHook.install(hookContext(values, platform, { asked: new Set(Object.keys(values) as OptionKey[]) }));
    return platform;
  }

  function connects(outgoing: OptionValues, ports: Readonly<Record<number, OptionValues>> = {}): ObservedPlatform {
    const platform = observedPlatform();
    undo = outgoingSocketHook.install(hookContext({}, platform, { outgoing, outgoingPorts: ports }));
    return platform;
  }

  const outcomes = () => listenerRecords().at(-1)?.outcomes ?? [];

  for (const option of ['freeBind', 'transparent'] as const) {
    for (const [family, host] of Object.entries(ABSENT)) {
      it(`has a server listen on an address that the machine does not have: ${option}, ${family}`, async function () {
        if (option === 'transparent' && process.getuid?.() !== 0) this.skip();
        const error = await listen(host).catch((reason: NodeJS.ErrnoException) => reason);
        expect(error).to.include({ code: 'EADDRNOTAVAIL', syscall: 'listen' });
        servers.splice(0);
        listens({ [option]: true });
        const server = await listen(host);
        expect(server.address()).to.include({ address: host, family });
        expect(outcomes()[0]).to.include({ option, verdict: 'applied', kernel: 1 });
        if (family === 'IPv4') return;
        const value = new Int32Array(1);
        expect(linux().get(listenHandleOf(server), IPV6_FORM[option], value)).to.equal(0);
        expect(value[0]).to.equal(1);
      });
    }
  }

  it('that the kernel refuses is told once, with the reason, and the server serves', async () => {
    const { IP_TRANSPARENT: constant } = linux().constants;
    const set: Platform['set'] = (...args) => (args[1] === constant ? 1 : linux().set(...args));
    listens({ transparent: true }, observedPlatform({ set }));
    let server: Server | undefined;
    const warnings = await warningsDuring(async () => {
      await listen('127.0.0.1');
      server = await listen('127.0.0.1');
    });
    expect(warnings.map(({ message }) => message)).to.deep.equal([
      'IP_TRANSPARENT=1 (SOCKET_TUNE_TRANSPARENT) is refused: EPERM, it takes CAP_NET_ADMIN or CAP_NET_RAW; it is left as it was',
    ]);
    const client = await connect({ port: portOf(server!) });
    expect(String((await once(client, 'data'))[0])).to.equal('hello');
  });

  it('names an interface: one that is not there is told of, and the server serves', async () => {
    listens({ bindToDevice: 'absent0' });
    let server: Server | undefined;
    const warnings = await warningsDuring(async () => {
      server = await listen('127.0.0.1');
    });
    expect(warnings.map(({ message }) => message)).to.deep.equal([
      'SO_BINDTODEVICE=absent0 (SOCKET_TUNE_BINDTODEVICE) is refused: ENODEV, there is no such network interface; it is left as it was',
    ]);
    const client = await connect({ port: portOf(server!) });
    expect(String((await once(client, 'data'))[0])).to.equal('hello');
  });

  it('is nothing to a server on a path, which says nothing of it', async () => {
    listens({ freeBind: true, bindToDevice: 'lo', multipath: true });
    const server = net.createServer().listen(`\0socket-tune-local-${process.pid}`);
    servers.push(server);
    expect(await warningsDuring(() => once(server, 'listening'))).to.deep.equal([]);
    expect(outcomes().map(({ verdict }) => verdict)).to.deep.equal(['unneeded', 'unneeded', 'unneeded']);
  });

  describe('of an outgoing socket', () => {
    const NO_PORT = 'IP_BIND_ADDRESS_NO_PORT';

    it('is set before bind(2), where a local address is bound', async () => {
      const stock = await connect({ localAddress: '127.0.0.9' });
      expect(kernelValue(handleOf(stock), NO_PORT)).to.equal(0);
      const platform = connects({ bindAddressNoPort: true });
      const socket = await connect({ localAddress: '127.0.0.9' });
      expect(socket.localAddress).to.equal('127.0.0.9');
      expect(kernelValue(handleOf(socket), NO_PORT)).to.equal(1);
      const set = platform.calls.filter(({ call }) => call === 'set');
      expect(set.map(({ constant, isBound }) => [constant, isBound])).to.deep.equal([[NO_PORT, false]]);
      expect(outgoingRecord.outcomes.at(-1)).to.include({ option: 'bindAddressNoPort', verdict: 'applied', kernel: 1 });
    });

    it('is not set, and takes no call, where none is', async () => {
      const platform = connects({ bindAddressNoPort: true });
      const socket = await connect({});
      expect(kernelValue(handleOf(socket), NO_PORT)).to.equal(0);
      expect(platform.calls.filter(({ call }) => call === 'set')).to.deep.equal([]);
    });

    it('is that of the port that it connects to, by whatever arguments', async () => {
      connects({}, { [peer.port]: { bindAddressNoPort: true } });
      const other = await echoPeer();
      const socket = await connect({ localAddress: '127.0.0.9', host: 'name.test', lookup: nameOf('127.0.0.1') });
      const elsewhere = await connect({ localAddress: '127.0.0.9', port: other.port });
      expect([socket, elsewhere].map((each) => kernelValue(handleOf(each), NO_PORT))).to.deep.equal([1, 0]);
      other.close();
      expect(portOfConnect([8080, 'host'])).to.equal(8080);
      expect(portOfConnect([{ port: '8080' }])).to.equal(8080);
      expect(portOfConnect([[{ port: 8080 }, null]])).to.equal(8080);
      for (const path of ['/run/app.sock', { path: '/run/app.sock' }, [{ path: 'x' }, null], undefined, '']) {
        expect(portOfConnect([path]), String(path)).to.equal(undefined);
      }
    });

    it('fails to bind as ever: the error is Node’s own', async () => {
      const failure = async (): Promise<unknown> => {
        const { code, syscall, message } = await connect({ localAddress: ABSENT.IPv4 }).catch((error) => error);
        return { code, syscall, message };
      };
      const stock = await failure();
      expect(stock).to.include({ code: 'EADDRNOTAVAIL' });
      connects({ bindAddressNoPort: true });
      expect(await failure()).to.deep.equal(stock);
    });

    it('is set before connect(2) at the latest, unless it is of local addresses alone', async () => {
      const platform = connects({ bindToDevice: 'lo', bindAddressNoPort: true });
      const [bound, free] = [await connect({ localAddress: '127.0.0.9' }), await connect({})];
      const devices = [bound, free].map((socket) => {
        const name = Buffer.alloc(16);
        expect(linux().get(handleOf(socket), linux().constants.SO_BINDTODEVICE!, name)).to.equal(0);
        return name.toString('latin1', 0, name.indexOf(0));
      });
      expect(devices).to.deep.equal(['lo', 'lo']);
      const set = platform.calls.filter(({ call }) => call === 'set');
      expect(set.map(({ constant }) => constant)).to.deep.equal([NO_PORT, 'SO_BINDTODEVICE', 'SO_BINDTODEVICE']);
      expect(set.every(({ isBound }) => !isBound)).to.equal(true);
    });

    it('leaves bind as it was when it is taken back', async () => {
      const prototype: object = Object.getPrototypeOf(handleOf(await connect({})));
      const original = Object.getOwnPropertyDescriptors(prototype);
      connects({ bindAddressNoPort: true });
      await connect({});
      expect(Object.getOwnPropertyDescriptor(prototype, 'bind')?.value).not.to.equal(original.bind?.value);
      undo?.();
      undo = undefined;
      expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(original);
    });
  });
});
