import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import net, { type Socket } from 'node:net';
import { expect } from 'chai';
import type { TuneConfig } from '../../../src/config/tune-config.js';
import { outgoingSocketHook } from '../../../src/hooks/sockets/outgoing-socket.js';
import { outgoingRecord } from '../../../src/report/socket-record.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, sysctl } from '../../support/sockets/kernel-value.js';
import { echoPeer, nameOf } from '../../support/sockets/outgoing.js';
import { useOutgoing } from '../../support/sockets/outgoing-suite.js';
import { handleOf } from '../../support/sockets/socket-pair.js';
import { isCloseOnExec } from '../../support/test-run/descriptors.js';
import { install } from '../../support/test-run/installed.js';
import { warningsDuring } from '../../support/test-run/warnings.js';
import { until } from '../../support/until.js';

/** What the kernel tells of a connection: `wscale:<peer’s>,<own>` is settled by the SYN. */
function connectionDetails(port: number): string {
  return execFileSync('ss', ['-tinO', `dport = :${port}`], { encoding: 'utf8' });
}

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

describe('an option that has to be there before connect(2)', () => {
  const outgoing = useOutgoing();
  const { connected, sockets } = outgoing;
  let undo: (() => void) | undefined;

  afterEach(() => {
    undo?.();
    undo = undefined;
  });

  function tuned(config: TuneConfig): void {
    undo?.();
    undo = install(config);
  }

  /** With the socket's handle connected by a kernel that notes what it is asked. */
  function observed(config: TuneConfig, overrides = {}): ObservedPlatform {
    const platform = observedPlatform(overrides);
    undo = outgoingSocketHook.install(
      hookContext({}, platform, { outgoing: config.connect, exactBuffers: config.bufferMode === 'exact' }),
    );
    return platform;
  }

  it('is in time: the receive buffer decides upon the window scale', async () => {
    const scale = async (): Promise<string | undefined> => {
      const socket = await connected();
      return /wscale:\d+,(\d+)/.exec(
        connectionDetails(outgoing.peer.port).split(`:${socket.localPort} `)[1] ?? '',
      )?.[1];
    };
    const stock = await scale();
    expect(Number(stock)).to.be.above(0);
    tuned({ bufferMode: 'exact', connect: { receiveBuffer: 4096 } });
    expect(await scale()).to.equal('0');
  });

  it('is in time as to all of them, and is what the kernel has in the end', async () => {
    const values = { typeOfService: 184, maxSegment: 1000, synCount: 3, windowClamp: 50_000, mark: 42, priority: 3 };
    const CONSTANTS = ['IP_TOS', 'TCP_SYNCNT', 'TCP_WINDOW_CLAMP', 'SO_PRIORITY'];
    const of = (one: Socket) => CONSTANTS.map((name) => kernelValue(handleOf(one), name));
    const before = of(await connected());
    tuned({ connect: values });
    const socket = await connected();
    expect(of(socket)).to.deep.equal([184, 3, 50_000, 3]).and.not.to.deep.equal(before);
    const { outcomes } = outgoingRecord;
    expect(outcomes.map(({ option }) => option)).to.have.members(Object.keys(values));
    for (const { option, verdict } of outcomes) {
      const isForbidden = option === 'mark' && process.getuid?.() !== 0;
      expect(verdict, option).to.equal(isForbidden ? 'refused' : 'applied');
    }
    const segment = Number(
      / mss:(\d+)/.exec(connectionDetails(outgoing.peer.port).split(`:${socket.localPort} `)[1] ?? '')?.[1],
    );
    expect(segment).to.be.at.most(1000);
  });

  for (const [family, host] of Object.entries({ IPv4: '127.0.0.1', IPv6: '::1' })) {
    it(`is set on a socket that is not connected, and of the right family, over ${family}`, async function () {
      const server = host === '::1' ? await echoPeer(net.createServer(), host).catch(() => this.skip()) : outgoing.peer;
      const platform = observed({ connect: { synCount: 3, userTimeout: 5000 } });
      const socket = await connected({ port: server.port, host });
      const set = platform.calls.filter(({ call }) => call === 'set');
      expect(set.map(({ constant }) => constant)).to.have.members(['TCP_USER_TIMEOUT', 'TCP_SYNCNT']);
      // connect(2) is what binds it.
      expect(set.every(({ isBound }) => !isBound)).to.equal(true);
      expect(socket.remoteFamily).to.equal(family);
      expect(kernelValue(handleOf(socket), 'TCP_SYNCNT')).to.equal(3);
      if (server !== outgoing.peer) server.close();
    });
  }

  it('takes no socket of ours where nothing is to be set before', async () => {
    const opened: boolean[] = [];
    const openSocket = (isIPv6: boolean) => {
      opened.push(isIPv6);
      return observedPlatform().openSocket(isIPv6);
    };
    observed({ connect: { userTimeout: 5000 } }, { openSocket });
    await connected();
    expect(opened).to.deep.equal([]);
    undo?.();
    observed({ connect: { userTimeout: 5000, synCount: 3 } }, { openSocket });
    await connected();
    expect(opened).to.deep.equal([false]);
  });

  it('is set on the socket that is there already where the app chose its address', async () => {
    const opened: boolean[] = [];
    observed({ connect: { synCount: 3 } }, { openSocket: (isIPv6: boolean) => opened.push(isIPv6) });
    const socket = await connected({ localAddress: '127.0.0.4' });
    expect(opened).to.deep.equal([]);
    expect(socket.localAddress).to.equal('127.0.0.4');
    expect(kernelValue(handleOf(socket), 'TCP_SYNCNT')).to.equal(3);
  });

  it('is set for each address of a name', async () => {
    const platform = observed({ connect: { synCount: 3 } });
    const socket = await connected({ host: 'x', lookup: nameOf('::1', '127.0.0.2', '127.0.0.1') });
    expect(kernelValue(handleOf(socket), 'TCP_SYNCNT')).to.equal(3);
    const set = platform.calls.filter(({ call }) => call === 'set');
    expect(set.map(({ constant }) => constant)).to.deep.equal(['TCP_SYNCNT', 'TCP_SYNCNT', 'TCP_SYNCNT']);
    expect(socket.autoSelectFamilyAttemptedAddresses).to.have.length(3);
  });

  it('leaves a socket that child processes do not inherit', async () => {
    const stock = await connected();
    const stockFd = handleOf(stock).fd ?? -1;
    tuned({ connect: { synCount: 3 } });
    const socket = await connected();
    expect([isCloseOnExec(stockFd), isCloseOnExec(handleOf(socket).fd ?? -1)]).to.deep.equal([true, true]);
  });

  it('costs no descriptor in the end', async () => {
    tuned({ connect: { synCount: 3 } });
    const before = descriptors().length;
    for (let round = 0; round < 50; round++) {
      const socket = await connected(round % 2 === 0 ? {} : { host: 'x', lookup: nameOf('::1', '127.0.0.1') });
      socket.destroy();
      await once(socket, 'close');
    }
    // The ends that the peer has.
    await until('they are closed as well', () => descriptors().length <= before + 1);
  });

  it('closes the descriptor of ours that the handle does not take, and the app connects without', async () => {
    const platform = observedPlatform();
    let opened = -1;
    const openSocket = (isIPv6: boolean) => {
      opened = platform.openSocket(isIPv6);
      return opened;
    };
    observed({ connect: { synCount: 3 } }, { openSocket });
    const socket = net.connect(outgoing.peer.port, '127.0.0.1');
    sockets.push(socket);
    Reflect.set(handleOf(socket), 'open', () => -22);
    await once(socket, 'connect');
    expect(opened).to.be.above(2);
    // Node's own socket has the number, which was free again.
    expect(handleOf(socket).fd).to.equal(opened);
    const [data] = await once(socket, 'data');
    expect(String(data)).to.equal('hello');
  });

  it('comes too late without a socket of ours, and the app connects all the same', async () => {
    for (const openSocket of [() => -95, () => -24]) {
      observed({ connect: { synCount: 3, userTimeout: 5000 } }, { openSocket });
      const socket = await connected();
      expect(kernelValue(handleOf(socket), 'TCP_USER_TIMEOUT')).to.equal(5000);
      undo?.();
    }
  });

  it('that the kernel refuses is said once, and the app connects', async () => {
    const warnings = await warningsDuring(async () => {
      tuned({ connect: { congestionControl: 'no-such', synCount: 3 } });
      for (let round = 0; round < 3; round++) {
        const socket = await connected();
        expect(kernelValue(handleOf(socket), 'TCP_SYNCNT')).to.equal(3);
      }
    });
    expect(warnings.map(({ code }) => code)).to.deep.equal(['SOCKET_TUNE_REFUSED']);
    expect(warnings[0]?.message).to.include('TCP_CONGESTION=no-such');
  });

  describe('as FASTOPEN_CONNECT', () => {
    before(function () {
      // Bit 0: of clients.
      if (((sysctl('ipv4/tcp_fastopen')[0] ?? 0) & 1) === 0) this.skip();
    });

    it('connects at once, and the first write brings the connection about', async () => {
      const silent = net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.pipe(socket);
      });
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const { port } = silent.address() as net.AddressInfo;
      tuned({ connect: { fastOpenConnect: true } });
      for (let round = 0; round < 3; round++) {
        const socket = await connected({ port });
        socket.write(`round ${round}`);
        const [data] = await once(socket, 'data');
        expect(String(data)).to.equal(`round ${round}`);
        expect(kernelValue(handleOf(socket), 'TCP_FASTOPEN_CONNECT')).to.equal(1);
      }
      for (const socket of sockets.splice(0)) socket.destroy();
      silent.close();
    });
  });

  it('leaves all as it was when it is taken back, to the class of handles', async () => {
    const prototype: object = Object.getPrototypeOf(handleOf(await connected()));
    const before = Object.getOwnPropertyDescriptors(prototype);
    const connect = Object.getOwnPropertyDescriptor(net.Socket.prototype, 'connect');
    const names: (keyof typeof before)[] = [];
    for (let round = 0; round < 3; round++) {
      tuned({ connect: { synCount: 3 } });
      expect(kernelValue(handleOf(await connected()), 'TCP_SYNCNT')).to.equal(3);
      const now = Object.getOwnPropertyDescriptors(prototype);
      for (const [name, { value, ...attributes }] of Object.entries(now)) {
        const was = Reflect.get(before, name) as PropertyDescriptor;
        if (value === was.value) continue;
        names.push(name as keyof typeof before);
        expect({ ...attributes, value: 0 }).to.deep.equal({ ...was, value: 0 });
        expect([value.name, value.length]).to.deep.equal([was.value.name, was.value.length]);
      }
      expect(new Set(names)).to.deep.equal(new Set(['connect', 'connect6']));
      undo?.();
      undo = undefined;
      expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(before);
      expect(Object.getOwnPropertyDescriptor(net.Socket.prototype, 'connect')).to.deep.equal(connect);
      expect(kernelValue(handleOf(await connected()), 'TCP_SYNCNT')).not.to.equal(3);
    }
  });

  it('is not set by a hook that is taken back while others stand above it', async () => {
    const stock = await connected();
    const objects = [net.Socket.prototype, Object.getPrototypeOf(handleOf(stock)) as object];
    const own = objects.map((object) => Object.getOwnPropertyDescriptor(object, 'connect'));
    tuned({ connect: { synCount: 3 } });
    expect(kernelValue(handleOf(await connected()), 'TCP_SYNCNT')).to.equal(3);
    for (const object of objects) {
      const ours = Reflect.get(object, 'connect') as Socket['connect'];
      Reflect.set(object, 'connect', function (this: unknown, ...args: unknown[]) {
        return Reflect.apply(ours, this, args);
      });
    }
    undo?.();
    undo = undefined;
    try {
      const socket = await connected();
      expect(kernelValue(handleOf(socket), 'TCP_SYNCNT')).not.to.equal(3);
      const [data] = await once(socket, 'data');
      expect(String(data)).to.equal('hello');
    } finally {
      for (const [index, object] of objects.entries()) Object.defineProperty(object, 'connect', own[index] ?? {});
    }
  });
});
