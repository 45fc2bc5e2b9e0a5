import { once } from 'node:events';
import http from 'node:http';
import net, { type Server } from 'node:net';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import { listenerHook } from '../../../src/hooks/sockets/listener.js';
import type { Platform, SocketConstant } from '../../../src/native/platform.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import type { OptionValues } from '../../../src/options/table.js';
import { type ListenerRecord, listenerRecords } from '../../../src/report/listener-record.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, linux, setKernelValue } from '../../support/sockets/kernel-value.js';
import { connection, handleOf, listenHandleOf, listening, type SocketPair } from '../../support/sockets/socket-pair.js';
import { warningsDuring } from '../../support/test-run/warnings.js';

const VALUES: OptionValues = {
  noDelay: true,
  receiveBuffer: 96 << 10,
  sendBuffer: 96 << 10,
  keepAlive: true,
  keepAliveIdle: 77,
  keepAliveInterval: 11,
  keepAliveCount: 4,
  userTimeout: 54_321,
};

const ALL_SET = {
  TCP_NODELAY: 1,
  SO_RCVBUF: 192 << 10,
  SO_SNDBUF: 192 << 10,
  SO_KEEPALIVE: 1,
  TCP_KEEPIDLE: 77,
  TCP_KEEPINTVL: 11,
  TCP_KEEPCNT: 4,
  TCP_USER_TIMEOUT: 54_321,
} as const;

/** Why the kernel's number is another one (socket(7)). */
const DOUBLED = 'the kernel doubles it, for its own bookkeeping';

describe('an accepted socket', () => {
  const scratch = useScratch();
  const servers: Server[] = [];
  const pairs: SocketPair[] = [];
  let platform: ObservedPlatform;
  let undo: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    undo?.();
    undo = undefined;
    for (const pair of pairs.splice(0)) pair.close();
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(values: OptionValues, on: Partial<Platform> = {}, server = net.createServer()): Promise<Server> {
    platform = observedPlatform(on);
    undo = listenerHook.install(hookContext(values, platform, { exactBuffers: true }));
    servers.push(server);
    await listening(server);
    platform.calls.splice(0);
    return server;
  }

  async function connect(server: Server): Promise<SocketPair> {
    const pair = await connection(server);
    pairs.push(pair);
    return pair;
  }

  function record(): ListenerRecord {
    return listenerRecords().at(-1)!;
  }

  function valuesOf(pair: SocketPair): Record<string, number> {
    const handle = handleOf(pair.accepted);
    const names = Object.keys(ALL_SET) as (keyof typeof ALL_SET)[];
    return Object.fromEntries(names.map((name) => [name, kernelValue(handle, name)]));
  }

  const calls = (): string[] => platform.calls.map(({ call, constant }) => `${call} ${constant}`);

  it('has every option from its listener, which costs a look at the first and nothing at the others', async () => {
    const stock = await listening(net.createServer());
    servers.push(stock);
    const untouched = valuesOf(await connect(stock));
    for (const [name, value] of Object.entries(ALL_SET)) expect(untouched[name], name).not.to.equal(value);

    const server = await serve(VALUES);
    const first = await connect(server);
    expect(valuesOf(first)).to.deep.equal(ALL_SET);
    expect(calls()).to.deep.equal(Object.keys(ALL_SET).map((name) => `get ${name}`));
    platform.calls.splice(0);
    for (let count = 0; count < 3; count++) expect(valuesOf(await connect(server))).to.deep.equal(ALL_SET);
    expect(calls()).to.deep.equal([]);
  });

  it('is recorded with what it inherited, and counted', async () => {
    const server = await serve({ noDelay: true, sendBuffer: 96 << 10, fastOpen: 9 });
    expect(record().accepted).to.deep.equal([]);
    await connect(server);
    const inherited = { verdict: 'inherited' } as const;
    expect(record().accepted).to.deep.equal([
      { option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, kernel: 1, ...inherited },
      { option: 'sendBuffer', constant: 'SO_SNDBUF', asked: 98_304, kernel: 196_608, note: DOUBLED, ...inherited },
    ]);
    expect(record().connections).to.equal(1);
    await connect(server);
    await connect(server);
    expect(record().connections).to.equal(3);
    expect(record().accepted).to.have.length(2);
  });

  it('is tuned before the app sees it', async () => {
    const server = await serve(VALUES);
    const seen: number[] = [];
    server.on('connection', (socket) => seen.push(kernelValue(handleOf(socket), 'TCP_USER_TIMEOUT')));
    await connect(server);
    expect(seen).to.deep.equal([54_321]);
  });

  it('is given on every connection what turns out not to be inherited', async () => {
    const server = await serve({ noDelay: true, userTimeout: 54_321 });
    // As on a system that does not pass this one on.
    setKernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT', 0);
    for (let count = 0; count < 3; count++) {
      platform.calls.splice(0);
      const pair = await connect(server);
      expect(kernelValue(handleOf(pair.accepted), 'TCP_USER_TIMEOUT')).to.equal(54_321);
      if (count > 0) expect(calls()).to.deep.equal(['set TCP_USER_TIMEOUT']);
    }
    expect(record().accepted.map(({ option, verdict }) => `${option} ${verdict}`)).to.deep.equal([
      'noDelay inherited',
      'userTimeout applied',
    ]);
  });

  it('is given on every connection what the system’s listeners do not know', async () => {
    const constants: Record<string, SocketConstant> = {
      TCP_NODELAY: { level: 6, name: 1 },
      SO_KEEPALIVE: { level: 1, name: 9, acceptedOnly: true },
      TCP_KEEPIDLE: { level: 6, name: 4, acceptedOnly: true },
    };
    const server = await serve({ noDelay: true, keepAlive: true, keepAliveIdle: 77 }, { constants });
    expect(kernelValue(listenHandleOf(server), 'SO_KEEPALIVE')).to.equal(0);
    for (let count = 0; count < 3; count++) {
      platform.calls.splice(0);
      const handle = handleOf((await connect(server)).accepted);
      expect(kernelValue(handle, 'SO_KEEPALIVE')).to.equal(1);
      expect(kernelValue(handle, 'TCP_KEEPIDLE')).to.equal(77);
      if (count > 0) expect(calls()).to.deep.equal(['set SO_KEEPALIVE', 'set TCP_KEEPIDLE']);
    }
  });

  it('has QUICKACK set once where it is to be set once, on every connection', async () => {
    const server = await serve({ quickAck: 'once' });
    for (let count = 0; count < 3; count++) await connect(server);
    expect(calls()).to.deep.equal(['set TCP_QUICKACK', 'set TCP_QUICKACK', 'set TCP_QUICKACK']);
  });

  it('is asked only once for what the kernel refuses, and told of with one warning', async () => {
    const set: Platform['set'] = (handle, constant, value) =>
      constant === linux().constants.TCP_KEEPCNT ? os.errno.EACCES : linux().set(handle, constant, value);
    const warnings = await warningsDuring(async () => {
      const server = await serve({ keepAlive: true, keepAliveCount: 4, userTimeout: 99 }, { set });
      const pair = await connect(server);
      expect(kernelValue(handleOf(pair.accepted), 'TCP_USER_TIMEOUT')).to.equal(99);
      expect(calls().filter((call) => call.startsWith('set'))).to.deep.equal(['set TCP_KEEPCNT']);
      platform.calls.splice(0);
      await connect(server);
      expect(calls()).to.deep.equal([]);
    });
    expect(warnings).to.have.length(1);
    expect(warnings[0]?.message).to.include('TCP_KEEPCNT=4').and.include('EACCES');
    expect(record().accepted.find(({ option }) => option === 'keepAliveCount')).to.include({ verdict: 'refused' });
  });

  it('of a Unix socket has nothing of TCP set', async () => {
    platform = observedPlatform();
    undo = listenerHook.install(hookContext(VALUES, platform));
    const server = await listening(net.createServer(), scratch.path('accepting'));
    servers.push(server);
    await connect(server);
    expect(calls()).to.deep.equal([]);
    expect(record()).to.include({ connections: 1 });
    for (const outcome of record().accepted) expect(outcome).to.include({ verdict: 'unneeded' });
  });

  it('of a server that wants Nagle’s algorithm has it', async () => {
    const server = await serve({ noDelay: true, userTimeout: 99 }, {}, http.createServer({ noDelay: false }));
    const { accepted } = await connect(server);
    expect(kernelValue(handleOf(accepted), 'TCP_NODELAY')).to.equal(0);
    expect(kernelValue(handleOf(accepted), 'TCP_USER_TIMEOUT')).to.equal(99);
  });

  it('of a server with pauseOnConnect, or over the limit of connections, is tuned, or dropped, as ever', async () => {
    const paused = await serve(VALUES, {}, net.createServer({ pauseOnConnect: true }));
    const pair = await connect(paused);
    expect(pair.accepted.isPaused()).to.equal(true);
    expect(valuesOf(pair)).to.deep.equal(ALL_SET);
    paused.maxConnections = 1;
    const dropped = once(paused, 'drop');
    const client = net.connect((paused.address() as net.AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    await dropped;
    client.destroy();
    expect(pair.accepted.destroyed).to.equal(false);
  });
});
