import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import http from 'node:http';
import net, { type Server, type Socket } from 'node:net';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import type { HookContext } from '../../src/hooks/context.js';
import { isMultipath } from '../../src/hooks/multipath.js';
import { PeerConnection } from '../../src/hooks/peers/connection.js';
import { PeerWatch } from '../../src/hooks/peers/peer-watch.js';
import { listenerHook } from '../../src/hooks/sockets/listener.js';
import { outgoingSocketHook } from '../../src/hooks/sockets/outgoing-socket.js';
import { loadLibc } from '../../src/native/libc.js';
import { linuxPlatform } from '../../src/native/linux.js';
import type { Platform } from '../../src/native/platform.js';
import type { OptionOutcome } from '../../src/options/outcome.js';
import type { OptionValues } from '../../src/options/table.js';
import { counters } from '../../src/report/counters.js';
import { listenerRecords } from '../../src/report/listener-record.js';
import { outgoingRecord } from '../../src/report/socket-record.js';
import { content, digest } from '../support/files/content.js';
import { useScratch } from '../support/files/scratch.js';
import { hookContext } from '../support/hook-context.js';
import { kernelValue, linux } from '../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, portOf } from '../support/sockets/socket-pair.js';
import { install } from '../support/test-run/installed.js';
import { skip } from '../support/test-run/skipped.js';
import { warningsDuring } from '../support/test-run/warnings.js';

const ON: OptionValues = { multipath: true };
const ASKED = { asked: new Set(['multipath'] as const) };

type SocketCall = (domain: number, type: number, protocol: number) => number;

/** A kernel that makes no MPTCP socket, and this is why. */
function refusing(errno: keyof typeof os.errno): Platform {
  const libc = loadLibc();
  let failure = 0;
  return linuxPlatform({
    ...libc,
    bind<F extends (...args: never[]) => number>(prototype: string): F {
      const call = libc.bind<F>(prototype);
      if (!prototype.includes(' socket(')) return call;
      const socket: SocketCall = (domain, type, protocol) => {
        failure = protocol === 262 ? os.errno[errno] : 0;
        return failure === 0 ? (call as unknown as SocketCall)(domain, type, protocol) : -1;
      };
      return socket as unknown as F;
    },
    errno: () => failure || libc.errno(),
  });
}

describe('a socket that is to be MPTCP', () => {
  const scratch = useScratch();
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const undos: (() => void)[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
    const fd = linux().openSocket(false, 'multipath');
    if (fd < 0) skip(this, `this kernel makes no MPTCP sockets (errno ${-fd})`);
    linux().close(fd);
  });

  afterEach(() => {
    for (const undo of undos.splice(0)) undo();
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  function listens(values: OptionValues, rest: Partial<HookContext> = ASKED, platform: Platform = linux()): void {
    const undo = listenerHook.install(hookContext(values, platform, rest));
    if (undo !== undefined) undos.push(undo);
  }

  function connects(outgoing: OptionValues, platform: Platform = linux()): void {
    const undo = outgoingSocketHook.install(hookContext({}, platform, { outgoing, ...ASKED }));
    if (undo !== undefined) undos.push(undo);
  }

  async function listen<S extends Server>(server: S, host = '127.0.0.1'): Promise<S> {
    servers.push(server.listen(0, host));
    await once(server, 'listening');
    return server;
  }

  /** A connection: what the server has, and what the client has. */
  async function pair(server: Server, host = '127.0.0.1'): Promise<[accepted: Socket, client: Socket]> {
    const client = net.connect(portOf(server), host);
    const [[accepted]]: [[Socket], unknown] = await Promise.all([
      once(server, 'connection').then(([socket]): [Socket] => [socket]),
      once(client, 'connect'),
    ]);
    sockets.push(client, accepted);
    return [accepted, client];
  }

  const multipath = (socket: Socket): boolean => isMultipath(linux(), handleOf(socket));
  const outcomeOf = (outcomes: readonly OptionOutcome[], option = 'multipath') =>
    outcomes.find((outcome) => outcome.option === option);
  const accepted = (option?: string) => outcomeOf(listenerRecords().at(-1)?.accepted ?? [], option);

  for (const [family, host] of Object.entries({ IPv4: '127.0.0.1', IPv6: '::1' })) {
    it(`is one at both ends, and what is written arrives: ${family}`, async () => {
      const stock = await pair(await listen(net.createServer(), host), host);
      expect(stock.map(multipath)).to.deep.equal([false, false]);
      listens(ON);
      connects(ON);
      const server = await listen(net.createServer(), host);
      expect(kernelValue(listenHandleOf(server), 'IPPROTO_MPTCP')).to.equal(1);
      const ends = await pair(server, host);
      expect(ends.map(multipath)).to.deep.equal([true, true]);
      ends[1].end('hello');
      expect(String((await once(ends[0], 'data'))[0])).to.equal('hello');
      expect(outcomeOf(listenerRecords().at(-1)?.outcomes ?? [])).to.include({ verdict: 'applied', kernel: 1 });
      expect(accepted()).to.include({ verdict: 'inherited', kernel: 1 });
      expect(outcomeOf(outgoingRecord.outcomes)).to.include({ verdict: 'applied', kernel: 1 });
    });
  }

  it('is plain TCP to a client that has none, which is nothing to warn of', async () => {
    listens(ON);
    const warnings = await warningsDuring(async () => {
      const ends = await pair(await listen(net.createServer()));
      expect(ends.map(multipath)).to.deep.equal([false, false]);
    });
    expect(warnings).to.deep.equal([]);
    expect(accepted()).to.include({ verdict: 'unneeded', kernel: 0 });
  });

  it('is plain TCP to a server that has none, and the report says so', async () => {
    undos.push(install({ connect: ON }));
    const server = await listen(net.createServer());
    const warnings = await warningsDuring(async () => {
      const [, client] = await pair(server);
      expect(multipath(client)).to.equal(false);
    });
    expect(warnings).to.deep.equal([]);
    expect(outcomeOf(outgoingRecord.outcomes)).to.include({ verdict: 'unneeded', kernel: 0 });
  });

  const REFUSALS = {
    EPROTONOSUPPORT: 'EPROTONOSUPPORT, this kernel has no MPTCP',
    // Before Linux 5.6.
    EINVAL: 'EPROTONOSUPPORT, this kernel has no MPTCP',
    ENOPROTOOPT: 'ENOPROTOOPT, net.mptcp.enabled is 0',
  } as const;
  for (const [errno, cause] of Object.entries(REFUSALS) as [keyof typeof REFUSALS, string][]) {
    it(`is plain TCP where the kernel makes none, and the user is told once (${errno})`, async () => {
      const platform = refusing(errno);
      listens(ON, ASKED, platform);
      connects(ON, platform);
      const warnings = await warningsDuring(async () => {
        for (const server of [await listen(net.createServer()), await listen(net.createServer())]) {
          const ends = await pair(server);
          expect(ends.map(multipath)).to.deep.equal([false, false]);
          ends[0].end('hello');
          expect(String((await once(ends[1], 'data'))[0])).to.equal('hello');
        }
      });
      for (const outcomes of [listenerRecords().at(-1)?.outcomes ?? [], outgoingRecord.outcomes]) {
        expect(outcomeOf(outcomes)).to.include({ verdict: 'unsupported', cause });
      }
      // Once a process: the first of these tests has it.
      const told = `IPPROTO_MPTCP=1 (SOCKET_TUNE_MPTCP) is unsupported: ${cause}; it is left as it was`;
      expect(warnings.map(({ message }) => message)).to.deep.equal(errno === 'EPROTONOSUPPORT' ? [told] : []);
    });
  }

  it('is plain TCP without a word where nobody has named the option', async () => {
    listens(ON, {}, refusing('EPROTONOSUPPORT'));
    const warnings = await warningsDuring(async () => pair(await listen(net.createServer())));
    expect(warnings).to.deep.equal([]);
    expect(outcomeOf(listenerRecords().at(-1)?.outcomes ?? [])).to.include({ verdict: 'unsupported' });
  });

  it('has its options learned for itself: peers with MPTCP and without have other ones', async () => {
    const values: OptionValues = { ...ON, notSentLowWater: 99_000, userTimeout: 54_321, noDelay: true };
    listens(values);
    const server = await listen(net.createServer());
    const [plain] = await pair(server);
    // The kernel hands NOTSENT_LOWAT down to MPTCP connections alone.
    expect(kernelValue(handleOf(plain), 'TCP_NOTSENT_LOWAT')).to.equal(99_000);
    expect(kernelValue(handleOf(plain), 'TCP_USER_TIMEOUT')).to.equal(54_321);
    expect(accepted('notSentLowWater')).to.include({ verdict: 'applied' });
    connects(ON);
    const warnings = await warningsDuring(async () => {
      for (let time = 0; time < 2; time++) {
        const [other] = await pair(server);
        expect(multipath(other)).to.equal(true);
        expect(kernelValue(handleOf(other), 'TCP_NOTSENT_LOWAT')).to.equal(99_000);
        expect(kernelValue(handleOf(other), 'TCP_NODELAY')).to.equal(1);
      }
    });
    expect(warnings).to.deep.equal([]);
    // And after these a plain one has all of its options still.
    for (const undo of undos.splice(1)) undo();
    const [last] = await pair(server);
    expect(kernelValue(handleOf(last), 'TCP_USER_TIMEOUT')).to.equal(54_321);
  });

  it('is not judged by its first path, which is all that TCP_INFO tells of', async () => {
    listens(ON);
    const server = await listen(net.createServer());
    const [plain] = await pair(server);
    connects(ON);
    const [several] = await pair(server);
    const looked: number[] = [];
    const platform = { ...linux(), peerState: (handle: { fd?: number }) => looked.push(handle.fd ?? -1) < 0 };
    const watch = new PeerWatch(platform, { deadPeer: 40, answer: undefined }, () => undefined);
    for (const socket of [plain, several]) {
      watch.add(new PeerConnection(handleOf(socket)));
      socket.write('to be acknowledged');
    }
    await new Promise((resolve) => setTimeout(resolve, 60));
    watch.close();
    expect(new Set(looked)).to.deep.equal(new Set([handleOf(plain).fd]));
  });

  it('gets files by sendfile(2), byte by byte as they are', async () => {
    const bytes = content(9 << 20, 262);
    const path = scratch.file('large', bytes);
    const uninstall = install({ ...ON, connect: ON });
    undos.push(uninstall);
    const kinds: boolean[] = [];
    const app = http.createServer((_request, response) => {
      if (response.socket !== null) kinds.push(multipath(response.socket));
      createReadStream(path).pipe(response);
    });
    const server = await listen(app);
    const before = counters.sendfileBytes;
    const agent = new http.Agent({ keepAlive: true });
    for (let time = 0; time < 2; time++) {
      const request = http.get({ host: '127.0.0.1', port: portOf(server), agent });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      expect(digest(...parts)).to.equal(digest(bytes));
    }
    agent.destroy();
    expect(kinds).to.deep.equal([true, true]);
    // The rest was written to wait for room.
    expect(counters.sendfileBytes - before).to.be.within(bytes.length * 1.8, bytes.length * 2);
  });
});
