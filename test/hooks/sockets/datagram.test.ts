import dgram, { type Socket } from 'node:dgram';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { expect } from 'chai';
import { makeHooks } from '../../../src/hooks/index.js';
import { install } from '../../../src/install.js';
import type { Platform } from '../../../src/native/platform.js';
import { type DatagramHandle, datagramPrototype } from '../../../src/node/dgram.js';
import type { OptionValues } from '../../../src/options/table.js';
import { datagramRecord } from '../../../src/report/socket-record.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, sysctl } from '../../support/sockets/kernel-value.js';
import { warningsDuring } from '../../support/test-run/warnings.js';

/** More than a socket has by itself, and no more than anybody may ask for. */
const RAISED = { udpReceiveBuffer: 0, udpSendBuffer: 0 };

function handleOf(socket: Socket): DatagramHandle {
  const state: unknown = Object.getOwnPropertySymbols(socket)
    .filter((symbol) => symbol.description === 'state symbol')
    .map((symbol) => Reflect.get(socket, symbol))[0];
  return (state as { handle: DatagramHandle }).handle;
}

function buffers(socket: Socket): [number, number] {
  return [socket.getRecvBufferSize(), socket.getSendBufferSize()];
}

describe('a UDP socket', () => {
  let stock: [number, number];
  let raised: [number, number];
  const sockets: Socket[] = [];
  let undo: () => void = () => undefined;

  before(async function () {
    if (process.platform !== 'linux') this.skip();
    const limits = ['core/rmem_max', 'core/wmem_max'].map((name) => sysctl(name)[0] ?? 0);
    stock = buffers(await bound(dgram.createSocket('udp4')));
    // The kernel doubles what it is asked for.
    RAISED.udpReceiveBuffer = Math.min(stock[0] / 2 + 4096, limits[0] ?? 0);
    RAISED.udpSendBuffer = Math.min(stock[1] / 2 + 4096, limits[1] ?? 0);
    raised = [RAISED.udpReceiveBuffer * 2, RAISED.udpSendBuffer * 2];
    expect(raised).not.to.deep.equal(stock);
  });

  afterEach(() => {
    undo();
    undo = () => undefined;
    for (const socket of sockets.splice(0)) socket.close();
  });

  async function bound(socket: Socket, address?: string): Promise<Socket> {
    sockets.push(socket);
    socket.bind(0, address);
    await once(socket, 'listening');
    return socket;
  }

  function tuned(values: OptionValues): void {
    undo();
    undo = install(values);
  }

  /** The hooks with a kernel that notes what it is asked, and nothing to tell them of the first socket. */
  function observed(values: OptionValues, overrides: Partial<Platform> = {}) {
    const platform: ObservedPlatform = observedPlatform(overrides);
    const hooks = makeHooks(hookContext(values, platform));
    undo = () => hooks.undo();
    return { platform, hooks };
  }

  it('has the buffers of the system where they are not to be raised', async () => {
    tuned({});
    expect(buffers(await bound(dgram.createSocket('udp4')))).to.deep.equal(stock);
  });

  for (const [type, address] of Object.entries({ udp4: '127.0.0.1', udp6: '::1' }) as ['udp4' | 'udp6', string][]) {
    it(`has its buffers raised once it is bound, as ${type}`, async () => {
      tuned(RAISED);
      const before = datagramRecord.sockets;
      const socket = dgram.createSocket(type);
      const atOnce: [number, number][] = [];
      socket.once('listening', () => atOnce.push(buffers(socket)));
      await bound(socket, address);
      expect(atOnce).to.deep.equal([raised]);
      expect(datagramRecord.sockets).to.equal(before + 1);
      const other = await bound(dgram.createSocket(type), address);
      other.send('a datagram', socket.address().port, address);
      const [message] = await once(socket, 'message');
      expect(String(message)).to.equal('a datagram');
    });
  }

  it('has its buffers raised where send() is what binds it', async () => {
    const receiver = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    tuned(RAISED);
    const socket = dgram.createSocket('udp4');
    sockets.push(socket);
    socket.send('hello', receiver.address().port, '127.0.0.1');
    const [message] = await once(receiver, 'message');
    expect(String(message)).to.equal('hello');
    expect(buffers(socket)).to.deep.equal(raised);
  });

  it('has its buffers raised where connect() is what binds it', async () => {
    const receiver = await bound(dgram.createSocket('udp4'), '127.0.0.1');
    tuned(RAISED);
    const socket = dgram.createSocket('udp4');
    sockets.push(socket);
    socket.connect(receiver.address().port, '127.0.0.1');
    await once(socket, 'connect');
    expect(buffers(socket)).to.deep.equal(raised);
    expect(socket.remoteAddress().port).to.equal(receiver.address().port);
  });

  it('is never given less than it has', async () => {
    tuned({ udpReceiveBuffer: 2048, udpSendBuffer: 2048 });
    const before = datagramRecord.sockets;
    expect(buffers(await bound(dgram.createSocket('udp4')))).to.deep.equal(stock);
    expect(datagramRecord.sockets).to.equal(before + 1);
  });

  it('has the sizes that the app makes it with, smaller ones too', async () => {
    tuned(RAISED);
    const smaller = { recvBufferSize: 5000, sendBufferSize: 6000 };
    expect(buffers(await bound(dgram.createSocket({ type: 'udp4', ...smaller })))).to.deep.equal([10_000, 12_000]);
    const one = dgram.createSocket({ type: 'udp4', recvBufferSize: 5000 });
    expect(buffers(await bound(one))).to.deep.equal([10_000, raised[1]]);
  });

  it('has the sizes that the app sets later', async () => {
    tuned(RAISED);
    const socket = await bound(dgram.createSocket('udp4'));
    socket.setRecvBufferSize(5000);
    expect(buffers(socket)).to.deep.equal([10_000, raised[1]]);
    socket.setSendBufferSize(6000);
    expect(buffers(socket)).to.deep.equal([10_000, 12_000]);
    const early = dgram.createSocket('udp4');
    sockets.push(early);
    expect(() => early.setRecvBufferSize(5000)).to.throw('EBADF');
  });

  it('has the other options that there are for UDP', async () => {
    tuned({ typeOfService: 184, priority: 3, mtuDiscovery: 3, receiveTos: true });
    const handle = handleOf(await bound(dgram.createSocket('udp4')));
    const names = ['IP_TOS', 'SO_PRIORITY', 'IP_MTU_DISCOVER', 'IP_RECVTOS'];
    expect(names.map((name) => kernelValue(handle, name))).to.deep.equal([184, 3, 3, 1]);
  });

  it('has IPv6’s options as udp6, and is not said to lack them as udp4', async () => {
    const warnings = await warningsDuring(async () => {
      tuned({ trafficClass: 184 });
      await bound(dgram.createSocket('udp4'));
      const six = await bound(dgram.createSocket('udp6'), '::1');
      expect(kernelValue(handleOf(six), 'IPV6_TCLASS')).to.equal(184);
    });
    expect(warnings).to.deep.equal([]);
  });

  it('is reported as the kernel has made it, with the limit that cut it', async () => {
    const limit = sysctl('core/rmem_max')[0] ?? 0;
    // The record is of the first socket of the process: one that looks at it as if it were.
    datagramRecord.sockets = 0;
    tuned({ udpReceiveBuffer: limit * 4 });
    const socket = await bound(dgram.createSocket('udp4'));
    expect(socket.getRecvBufferSize()).to.equal(limit * 2);
    expect(datagramRecord.outcomes[0]).to.include({ constant: 'SO_RCVBUF', asked: limit * 4, verdict: 'clamped' });
    expect(datagramRecord.outcomes[0]?.cause).to.include('net.core.rmem_max').and.to.include(String(limit));
  });

  it('costs one look each where it has as much already', async () => {
    const { platform, hooks } = observed({ udpReceiveBuffer: 2048 });
    const socket = dgram.createSocket('udp4');
    hooks.forDatagrams(socket);
    await bound(socket);
    expect(platform.calls.map(({ call, constant }) => `${call} ${constant}`)).to.deep.equal(['get SO_RCVBUF']);
  });

  it('is tuned before the app’s own sizes are set, once for each socket', async () => {
    const { platform, hooks } = observed({ mtuDiscovery: 3 });
    for (const round of [1, 2, 3]) {
      const socket = dgram.createSocket('udp4');
      hooks.forDatagrams(socket);
      await bound(socket);
      expect(platform.calls.filter(({ call }) => call === 'set')).to.have.length(round);
    }
  });

  it('makes nothing be patched where there is nothing to set', () => {
    const socket = dgram.createSocket('udp4');
    sockets.push(socket);
    const prototype = datagramPrototype(socket);
    const original = prototype?.recvStart;
    observed({ noDelay: true, userTimeout: 5000 }).hooks.forDatagrams(socket);
    expect(prototype?.recvStart).to.equal(original);
    observed(RAISED).hooks.forDatagrams(socket);
    expect(prototype?.recvStart).not.to.equal(original);
    expect([prototype?.recvStart.name, prototype?.recvStart.length]).to.deep.equal([original?.name, original?.length]);
  });

  it('is left alone once all is taken back, even if it was made before', async () => {
    const before = channel('udp.socket').hasSubscribers;
    tuned(RAISED);
    expect(channel('udp.socket').hasSubscribers).to.equal(true);
    const early = dgram.createSocket('udp4');
    const prototype: object = Object.getPrototypeOf(handleOf(early));
    undo();
    undo = () => undefined;
    expect(channel('udp.socket').hasSubscribers).to.equal(before);
    expect(buffers(await bound(early))).to.deep.equal(stock);
    const own = Object.getOwnPropertyDescriptors(prototype);
    tuned(RAISED);
    expect(buffers(await bound(dgram.createSocket('udp4')))).to.deep.equal(raised);
    expect(Object.getOwnPropertyDescriptors(prototype)).not.to.deep.equal(own);
    undo();
    undo = () => undefined;
    expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(own);
  });

  it('is left alone once all is taken back, even if others have wrapped what we have since', async () => {
    const prototype: object = Object.getPrototypeOf(handleOf(await bound(dgram.createSocket('udp4'))));
    const own = Object.getOwnPropertyDescriptor(prototype, 'recvStart') ?? {};
    tuned(RAISED);
    expect(buffers(await bound(dgram.createSocket('udp4')))).to.deep.equal(raised);
    const ours = Reflect.get(prototype, 'recvStart') as DatagramHandle['recvStart'];
    Reflect.set(prototype, 'recvStart', function (this: DatagramHandle, ...args: unknown[]) {
      return Reflect.apply(ours, this, args);
    });
    undo();
    undo = () => undefined;
    try {
      expect(buffers(await bound(dgram.createSocket('udp4')))).to.deep.equal(stock);
    } finally {
      Object.defineProperty(prototype, 'recvStart', own);
    }
  });
});
