import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { listenerHook } from '../../src/hooks/sockets/listener.js';
import { listenerRecords } from '../../src/report/listener-record.js';
import { hookContext, observedPlatform } from '../support/hook-context.js';
import { linux } from '../support/sockets/kernel-value.js';
import { listenHandleOf, portOf } from '../support/sockets/socket-pair.js';
import { warningsDuring } from '../support/test-run/warnings.js';

const SO_REUSEPORT = { level: 1, name: 15 };
const RAW = [{ ...SO_REUSEPORT, value: 1, phase: 'before-bind' }] as const;

function reusesPort(server: Server): boolean {
  const value = new Int32Array(1);
  expect(linux().get(listenHandleOf(server), SO_REUSEPORT, value)).to.equal(0);
  return value[0] === 1;
}

describe('an option that is to be set before bind(2)', () => {
  let undo: (() => void) | undefined;
  const servers: Server[] = [];

  async function listen(port: number, host?: string): Promise<Server> {
    const server = createServer((socket) => socket.end('hello')).listen(port, host);
    servers.push(server);
    await once(server, 'listening');
    return server;
  }

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    undo?.();
    undo = undefined;
    for (const server of servers.splice(0)) server.close();
  });

  it('is there in time: two listeners share a port that cannot be shared otherwise', async () => {
    const first = await listen(0, '127.0.0.1');
    expect(reusesPort(first)).to.equal(false);
    undo = listenerHook.install(hookContext({ raw: RAW }, observedPlatform()));
    const second = await listen(0, '127.0.0.1');
    expect(reusesPort(second)).to.equal(true);
    expect(listenerRecords().at(-1)?.outcomes[0]).to.include({ constant: '1:15', verdict: 'applied', kernel: 1 });
    const third = await listen(portOf(second), '127.0.0.1');
    expect(third.address()).to.deep.equal(second.address());
    const client = connect(portOf(second), '127.0.0.1');
    const [data] = await once(client, 'data');
    expect(String(data)).to.equal('hello');
  });

  it('is set on IPv6 sockets, on those of all addresses, and only on listeners', async () => {
    const platform = observedPlatform();
    undo = listenerHook.install(hookContext({ raw: RAW }, platform));
    const server = await listen(0, '::1');
    expect(server.address()).to.include({ address: '::1', family: 'IPv6' });
    expect(reusesPort(await listen(0))).to.equal(true);
    expect(reusesPort(server)).to.equal(true);
    const before = platform.calls.length;
    const client = connect({ port: portOf(server), host: '::1', localAddress: '::1' });
    await once(client, 'data');
    expect(platform.calls.slice(before).filter(({ call }) => call === 'set')).to.deep.equal([]);
  });

  it('is set on a server within whose listen() another one listens', async () => {
    undo = listenerHook.install(hookContext({ raw: RAW }, observedPlatform()));
    const [outer, inner] = [createServer(), createServer()];
    servers.push(outer, inner);
    // Node tells async hooks of the handle of a server before it binds that.
    const made: string[] = [];
    const hook = createHook({
      init(_id, type) {
        made.push(type);
        if (made.length === 1) inner.listen(0);
      },
    }).enable();
    // Without a host, Node binds within the call.
    outer.listen(0);
    hook.disable();
    expect(made.slice(0, 2)).to.deep.equal(['TCPSERVERWRAP', 'TCPSERVERWRAP']);
    expect([outer, inner].map(reusesPort)).to.deep.equal([true, true]);
  });

  it('comes too late where the listener is there already, which is said, and the app listens', async () => {
    undo = listenerHook.install(hookContext({ raw: RAW }, observedPlatform()));
    const path = `\0socket-tune-${process.pid}`;
    const server = createServer().listen(path);
    servers.push(server);
    const [warning] = await warningsDuring(() => once(server, 'listening'));
    expect(warning?.message).to.include('SOCKET_TUNE_RAW').and.include('is unsupported');
    expect(listenerRecords().at(-1)?.outcomes[0]).to.include({ constant: '1:15', verdict: 'unsupported' });
  });

  it('leaves bind as it was when it is taken back', async () => {
    const server = await listen(0, '127.0.0.1');
    const prototype: object = Object.getPrototypeOf(listenHandleOf(server));
    const original = Object.getOwnPropertyDescriptors(prototype);
    undo = listenerHook.install(hookContext({ raw: RAW }, observedPlatform()));
    expect(Object.getOwnPropertyDescriptor(prototype, 'bind')?.value).not.to.equal(original.bind?.value);
    undo?.();
    undo = undefined;
    expect(Object.getOwnPropertyDescriptors(prototype)).to.deep.equal(original);
  });
});
