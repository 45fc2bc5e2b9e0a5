import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { HookContext } from '../../../src/hooks/context.js';
import { ipcHook } from '../../../src/hooks/sockets/ipc.js';
import { nodeSymbol } from '../../../src/node/symbols.js';
import type { OptionValues } from '../../../src/options/table.js';
import { listenerRecords } from '../../../src/report/listener-record.js';
import { datagramRecord } from '../../../src/report/socket-record.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext, observedPlatform } from '../../support/hook-context.js';
import { kernelValue } from '../../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, listening, socketPair } from '../../support/sockets/socket-pair.js';

const VALUES: OptionValues = { noDelay: true, userTimeout: 54_321 };

/** Accepts connections, and sends them to its parent. */
const CHILD = `
const server = require('net').createServer({ pauseOnConnect: true }, (socket) => process.send('here', socket));
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('disconnect', () => process.exit());
`;

describe('sockets that come by IPC', () => {
  const scratch = useScratch();
  const sockets: Socket[] = [];
  const children: ChildProcess[] = [];
  let context: HookContext;
  let undo: (() => void) | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    context = hookContext(VALUES, observedPlatform());
  });

  afterEach(() => {
    undo?.();
    undo = undefined;
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const child of children.splice(0)) child.disconnect();
  });

  async function started(): Promise<{ child: ChildProcess; port: number }> {
    const child = fork(scratch.file('child.cjs', CHILD), { execArgv: [] });
    children.push(child);
    const [port] = await once(child, 'message');
    return { child, port };
  }

  /** What a child has accepted and sent to this process. */
  async function received({ child, port }: { child: ChildProcess; port: number }): Promise<Socket> {
    const client = connect(port, '127.0.0.1');
    const [[, socket]] = await Promise.all([once(child, 'message'), once(client, 'connect')]);
    sockets.push(client, socket);
    return socket;
  }

  const userTimeout = (socket: Socket): number => kernelValue(handleOf(socket), 'TCP_USER_TIMEOUT');

  it('are tuned when a child sends them, until the hook is undone', async () => {
    undo = ipcHook.install(context);
    const from = await started();
    expect(userTimeout(await received(from))).to.equal(54_321);
    undo?.();
    undo = undefined;
    expect(userTimeout(await received(from))).to.equal(0);
  });

  it('are left alone when a child sends them that was there before', async () => {
    const from = await started();
    undo = ipcHook.install(context);
    expect(userTimeout(await received(from))).to.equal(0);
  });

  describe('before the app listens for messages', () => {
    let symbol: symbol;

    before(async () => {
      const { child } = await started();
      symbol = nodeSymbol(child.channel ?? {}, 'kPendingMessages') ?? Symbol('none');
      expect(symbol.description).to.equal('kPendingMessages');
    });

    /** With what Node has received already, as the arguments of 'message'. */
    function installWith(values: OptionValues, ...handles: readonly unknown[]): void {
      const own = Object.getOwnPropertyDescriptor(process, 'channel');
      const pending = handles.map((handle) => ['message', {}, handle]);
      Object.defineProperty(process, 'channel', { configurable: true, value: { [symbol]: pending } });
      try {
        undo = ipcHook.install(hookContext(values, observedPlatform()));
      } finally {
        if (own === undefined) Reflect.deleteProperty(process, 'channel');
        else Object.defineProperty(process, 'channel', own);
      }
    }

    it('are tuned when the hook comes: sockets, servers and UDP sockets', async () => {
      const pair = await socketPair();
      const server = await listening();
      const datagram = createSocket('udp4').bind(0, '127.0.0.1');
      await once(datagram, 'listening');
      const [records, datagrams] = [listenerRecords().length, datagramRecord.sockets];
      // The kernel doubles what it is asked for.
      const udpReceiveBuffer = datagram.getRecvBufferSize() / 2 + 4096;
      expect(userTimeout(pair.accepted)).to.equal(0);
      installWith({ ...VALUES, udpReceiveBuffer }, undefined, pair.accepted, server, datagram);
      expect(userTimeout(pair.accepted)).to.equal(54_321);
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
      expect(datagram.getRecvBufferSize()).to.equal(udpReceiveBuffer * 2);
      expect([listenerRecords().length, datagramRecord.sockets]).to.deep.equal([records + 2, datagrams + 1]);
      pair.close();
      server.close();
      datagram.close();
    });

    it('are left alone when they are closed by then', async () => {
      const pair = await socketPair();
      const server = await listening();
      pair.close();
      server.close();
      const records = listenerRecords().length;
      installWith(VALUES, pair.accepted, server, 'no socket');
      expect(listenerRecords().length).to.equal(records);
    });
  });
});
