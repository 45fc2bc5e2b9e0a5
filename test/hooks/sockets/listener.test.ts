import { once } from 'node:events';
import { closeSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type ListenOptions, type Server } from 'node:net';
import { constants as os } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { expect } from 'chai';
import { listenerHook } from '../../../src/hooks/sockets/listener.js';
import { asNetServer } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import type { OptionOutcome } from '../../../src/options/outcome.js';
import type { OptionValues } from '../../../src/options/table.js';
import { type ListenerRecord, listenerRecords } from '../../../src/report/listener-record.js';
import { realFiles } from '../../support/files/fake-files.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext, type ObservedPlatform, observedPlatform } from '../../support/hook-context.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, reach } from '../../support/sockets/socket-pair.js';
import { warningsDuring } from '../../support/test-run/warnings.js';

const VALUES: OptionValues = { noDelay: true, receiveBuffer: 96 << 10, userTimeout: 54_321 };

describe('a listener', () => {
  const scratch = useScratch();
  const servers: Server[] = [];
  let platform: ObservedPlatform;
  let undo: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  function hook(values: OptionValues, on: ObservedPlatform = observedPlatform()): void {
    platform = on;
    undo = listenerHook.install(hookContext(values, platform, { exactBuffers: true }));
    expect(undo).not.to.equal(undefined);
  }

  afterEach(async () => {
    undo?.();
    undo = undefined;
    for (const server of servers.splice(0)) {
      if (!server.listening) continue;
      server.close();
      await once(server, 'close');
    }
  });

  function make<S extends Server>(server: S): S {
    servers.push(server);
    return server;
  }

  async function listen(server: Server, ...args: unknown[]): Promise<void> {
    Reflect.apply(server.listen, server, args);
    await once(server, 'listening');
  }

  function lastRecord(): ListenerRecord {
    const record = listenerRecords().at(-1);
    if (record === undefined) throw new Error('no listener was recorded');
    return record;
  }

  const sets = (): string[] => platform.calls.filter(({ call }) => call === 'set').map(({ constant }) => constant);

  it('has its options after bind(2) and before listen(2)', async () => {
    hook(VALUES);
    const server = make(net.createServer());
    server.listen(0);
    // Nothing was waited for: 'listening' has not been emitted yet.
    expect(platform.calls.length).to.be.greaterThan(0);
    // What kind of sockets it will accept is asked when it listens.
    const tuning = platform.calls.filter(({ constant }) => constant !== 'IPPROTO_MPTCP');
    for (const call of tuning) expect(call).to.include({ isBound: true, listens: false });
    expect(sets()).to.deep.equal(['TCP_NODELAY', 'SO_RCVBUF', 'TCP_USER_TIMEOUT']);
    expect(kernelValue(listenHandleOf(server), 'SO_RCVBUF')).to.equal(192 << 10);
    expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
    await once(server, 'listening');
  });

  it('has what can only be set later after listen(2)', async () => {
    const constants = {
      TCP_NODELAY: { level: 6, name: 1 },
      TCP_FASTOPEN: { level: 6, name: 23, afterListen: true },
    } as const;
    hook({ noDelay: true, fastOpen: 44 }, observedPlatform({ constants }));
    const server = make(net.createServer());
    await listen(server, 0);
    const order = platform.calls.filter(({ call }) => call === 'set').map((call) => [call.constant, call.listens]);
    expect(order).to.deep.equal([
      ['TCP_NODELAY', false],
      ['TCP_FASTOPEN', true],
    ]);
    expect(kernelValue(listenHandleOf(server), 'TCP_FASTOPEN')).to.equal(44);
    expect(lastRecord().outcomes.map((outcome) => outcome.option)).to.deep.equal(['noDelay', 'fastOpen']);
  });

  describe('is tuned once', () => {
    const ways: Readonly<Record<string, () => unknown[]>> = {
      'on a port': () => [0],
      'on a port and a host': () => [0, '127.0.0.1'],
      'on a host that must be looked up': () => [0, 'localhost'],
      'on IPv6': () => [0, '::1'],
      'with a backlog': () => [0, '127.0.0.1', 17],
      'with a callback': () => [0, () => undefined],
      'by options': () => [{ port: 0, host: '127.0.0.1', exclusive: true } satisfies ListenOptions],
      'on nothing in particular': () => [],
    };

    for (const [way, args] of Object.entries(ways)) {
      it(`that listens ${way}`, async () => {
        hook(VALUES);
        const count = listenerRecords().length;
        const server = make(net.createServer());
        await listen(server, ...args());
        expect(sets()).to.deep.equal(['TCP_NODELAY', 'SO_RCVBUF', 'TCP_USER_TIMEOUT']);
        expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
        expect(listenerRecords().length).to.equal(count + 1);
        const { port } = server.address() as net.AddressInfo;
        expect(lastRecord().address).to.match(new RegExp(`:${port}$`));
      });
    }

    /** A socket that is bound, and not Node's. */
    async function boundElsewhere(): Promise<{ fd: number; other: Server }> {
      const other = net.createServer();
      await new Promise((resolve) => other.listen(0, '127.0.0.1', () => resolve(undefined)));
      return { fd: realFiles().duplicate(listenHandleOf(other).fd!), other };
    }

    it('that listens on a descriptor', async () => {
      const { fd, other } = await boundElsewhere();
      hook(VALUES);
      const server = make(net.createServer());
      expect(kernelValue({ fd }, 'TCP_USER_TIMEOUT')).to.equal(0);
      await listen(server, { fd });
      expect(sets()).to.deep.equal(['TCP_NODELAY', 'SO_RCVBUF', 'TCP_USER_TIMEOUT']);
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
      other.close();
    });

    it('that listens on the handle of another server', async () => {
      const { fd, other } = await boundElsewhere();
      closeSync(fd);
      hook(VALUES);
      const server = make(net.createServer());
      expect(kernelValue(listenHandleOf(other), 'TCP_USER_TIMEOUT')).to.equal(0);
      await listen(server, other);
      expect(listenHandleOf(server)).to.equal(listenHandleOf(other));
      expect(sets()).to.deep.equal(['TCP_NODELAY', 'SO_RCVBUF', 'TCP_USER_TIMEOUT']);
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
    });

    it('that listens again after it was closed', async () => {
      hook(VALUES);
      const server = make(net.createServer());
      await listen(server, 0);
      server.close();
      await once(server, 'close');
      await listen(server, 0);
      expect(sets()).to.have.length(6);
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(54_321);
    });
  });

  it('is tuned also where somebody has left its server without a handle, of whatever kind', async () => {
    hook(VALUES);
    const server = make(net.createServer());
    // As http leaves one that was made through a spy of net.Server.
    Reflect.set(server, '_handle', undefined);
    await listen(server, 0);
    expect(sets()).to.include('TCP_NODELAY');
  });

  it('on a path has nothing of TCP set, and is recorded by its path', async () => {
    hook(VALUES);
    const server = make(net.createServer());
    await listen(server, scratch.path('listener'));
    expect(platform.calls).to.deep.equal([]);
    expect(lastRecord().address).to.equal(scratch.path('listener'));
    expect(lastRecord().outcomes.map(({ option, verdict }) => `${option} ${verdict}`)).to.deep.equal([
      'noDelay unneeded',
      'receiveBuffer unneeded',
      'userTimeout unneeded',
    ]);
  });

  describe('defers accepting', () => {
    const deferring = (server: Server): number => kernelValue(listenHandleOf(server), 'TCP_DEFER_ACCEPT');
    const whose: Readonly<Record<string, [() => Server, boolean]>> = {
      http: [() => http.createServer(), true],
      https: [() => https.createServer(), true],
      tls: [() => tls.createServer(), true],
      'http2 without TLS': [() => http2.createServer(), true],
      'http2 with TLS': [() => http2.createSecureServer(), true],
      net: [() => net.createServer(), false],
    };

    for (const [kind, [create, isDeferred]] of Object.entries(whose)) {
      it(`${isDeferred ? 'on a server of' : 'never on a server of plain'} ${kind}`, async () => {
        const stock = make(create());
        await listen(stock, 0);
        expect(deferring(stock)).to.equal(0);
        hook({ deferAccept: 5 });
        const server = make(create());
        await listen(server, 0);
        if (isDeferred) expect(deferring(server)).to.be.within(5, 10);
        else expect(deferring(server)).to.equal(0);
        expect(lastRecord().outcomes[0]).to.include({
          option: 'deferAccept',
          verdict: isDeferred ? 'applied' : 'unneeded',
        });
      });
    }
  });

  it('gives interval and count of keepalive back where a server’s `keepAlive: true` has Node rewrite them', async () => {
    const options = { keepAlive: true, keepAliveInitialDelay: 40_000 };
    const onConnection = async (): Promise<number[]> => {
      const server = make(net.createServer(options));
      await listen(server, 0);
      const client = net.connect(reach(server));
      const [socket] = await once(server, 'connection');
      const handle = handleOf(socket);
      // Ours come when the app has been told of the connection.
      await setImmediate();
      const names = ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT'] as const;
      const values = names.map((name) => kernelValue(handle, name));
      client.destroy();
      return values;
    };
    const [idle, ...rest] = await onConnection();
    expect(idle).to.equal(40);
    expect(rest).not.to.deep.equal([17, 4]);
    hook({ keepAlive: true, keepAliveIdle: 60, keepAliveInterval: 17, keepAliveCount: 4 });
    expect(await onConnection()).to.deep.equal([40, 17, 4]);
  });

  describe('has NODELAY', () => {
    const noDelay = (server: Server): number => kernelValue(listenHandleOf(server), 'TCP_NODELAY');

    for (const [kind, create] of Object.entries({
      http: (options: object) => http.createServer(options),
      https: (options: object) => https.createServer(options),
      http2: () => http2.createServer(),
      net: (options: object) => net.createServer(options),
    })) {
      it(`on a server of ${kind} that says nothing of it`, async () => {
        hook({ noDelay: true });
        const server = make(create({}));
        await listen(server, 0);
        expect(noDelay(server)).to.equal(1);
      });
    }

    it('not on the connections of a server of http where it is to be off', async () => {
      const onConnection = async (values: OptionValues): Promise<number> => {
        hook(values);
        const server = make(http.createServer());
        await listen(server, 0);
        const client = net.connect(reach(server));
        const [socket] = await once(server, 'connection');
        const value = kernelValue(handleOf(socket), 'TCP_NODELAY');
        client.destroy();
        undo?.();
        return value;
      };
      expect(await onConnection({ userTimeout: 99 })).to.equal(1);
      expect(await onConnection({ noDelay: false })).to.equal(0);
    });

    it('not on a server of http or https that was told not to', async () => {
      hook({ noDelay: true, userTimeout: 99 });
      for (const server of [http.createServer({ noDelay: false }), https.createServer({ noDelay: false })]) {
        make(server);
        await listen(server, 0);
        expect(noDelay(server)).to.equal(0);
        expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(99);
        expect(lastRecord().outcomes.map((outcome) => outcome.option)).to.deep.equal(['userTimeout']);
      }
    });
  });

  it('that cannot listen emits its error as ever, and is not recorded', async () => {
    const taken = make(net.createServer());
    await listen(taken, 0, '127.0.0.1');
    hook(VALUES);
    const count = listenerRecords().length;
    const server = make(net.createServer());
    server.listen(reach(taken));
    const [error] = await once(server, 'error');
    expect(error).to.include({ code: 'EADDRINUSE', syscall: 'listen' });
    expect(asNetServer(server)._handle).to.equal(null);
    expect(listenerRecords().length).to.equal(count);
  });

  it('looks as it would without us', async () => {
    const describeHandle = (server: Server): object => {
      const { value, ...rest } = Object.getOwnPropertyDescriptor(server, '_handle') ?? {};
      return { ...rest, class: value?.constructor.name };
    };
    const stock = make(net.createServer());
    await listen(stock, 0);
    hook(VALUES);
    const tuned = make(net.createServer());
    expect(Reflect.apply(tuned.listen, tuned, [0])).to.equal(tuned);
    await once(tuned, 'listening');
    expect(describeHandle(tuned)).to.deep.equal(describeHandle(stock));
    expect(Reflect.ownKeys(tuned)).to.deep.equal(Reflect.ownKeys(stock));
    for (const event of stock.eventNames()) expect(tuned.listenerCount(event)).to.equal(stock.listenerCount(event));
    expect(tuned.eventNames()).to.deep.equal(stock.eventNames());
  });

  it('is recorded with what the kernel made of each option', async () => {
    hook({ ...VALUES, fastOpen: 31 });
    const server = make(net.createServer());
    await listen(server, 0, '127.0.0.1');
    const { address, outcomes, accepted, connections } = lastRecord();
    expect(address).to.equal(`127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    const inert = linux().inertCause('TCP_FASTOPEN');
    expect(outcomes.map(({ option, asked, kernel, verdict }) => [option, asked, kernel, verdict])).to.deep.equal([
      ['noDelay', 1, 1, 'applied'],
      ['receiveBuffer', 98_304, 196_608, 'applied'],
      ['fastOpen', 31, 31, inert === undefined ? 'applied' : 'inert'],
      ['userTimeout', 54_321, 54_321, 'applied'],
    ]);
    expect(accepted).to.deep.equal([]);
    expect(connections).to.equal(0);
  });

  it('runs, with one warning, where the kernel refuses an option', async () => {
    const set: ObservedPlatform['set'] = (handle, constant, value) =>
      constant === linux().constants.TCP_USER_TIMEOUT ? os.errno.EPERM : linux().set(handle, constant, value);
    hook(VALUES, observedPlatform({ set }));
    const refused: OptionOutcome[] = [];
    const warnings = await warningsDuring(async () => {
      for (let round = 0; round < 2; round++) {
        await listen(make(net.createServer()), 0);
        refused.push(...lastRecord().outcomes.filter((outcome) => outcome.verdict === 'refused'));
      }
    });
    expect(refused.map(({ option, cause }) => `${option} ${cause}`)).to.deep.equal([
      'userTimeout EPERM',
      'userTimeout EPERM',
    ]);
    expect(warnings.map((warning) => warning.code)).to.deep.equal(['SOCKET_TUNE_REFUSED']);
  });

  describe('once the hook is undone', () => {
    it('is a stock one', async () => {
      hook(VALUES);
      await listen(make(net.createServer()), 0);
      const calls = platform.calls.length;
      expect(calls).to.be.greaterThan(0);
      undo?.();
      const server = make(net.createServer());
      await listen(server, 0);
      expect(platform.calls.length).to.equal(calls);
      expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(0);
    });

    it('is a stock one also where somebody else has wrapped ours since', async () => {
      const { prototype } = net.Server;
      const own = Object.getOwnPropertyDescriptor(prototype, '_listen2')!;
      hook(VALUES);
      const ours: unknown = Reflect.get(prototype, '_listen2');
      Reflect.set(prototype, '_listen2', function (this: Server, ...args: unknown[]) {
        return typeof ours === 'function' ? Reflect.apply(ours, this, args) : undefined;
      });
      try {
        await listen(make(net.createServer()), 0);
        const calls = platform.calls.length;
        expect(calls).to.be.greaterThan(0);
        undo?.();
        await listen(make(net.createServer()), 0);
        expect(platform.calls.length).to.equal(calls);
      } finally {
        Object.defineProperty(prototype, '_listen2', own);
      }
    });
  });

  it('is left alone where Node’s own code is not what we know', () => {
    const { prototype } = net.Server;
    const own = Object.getOwnPropertyDescriptor(prototype, '_listen2')!;
    const theirs = (): void => undefined;
    Reflect.set(prototype, '_listen2', theirs);
    try {
      expect(listenerHook.install(hookContext(VALUES, linux()))).to.equal(undefined);
      expect(Reflect.get(prototype, '_listen2')).to.equal(theirs);
    } finally {
      Object.defineProperty(prototype, '_listen2', own);
    }
  });
});
