import { once } from 'node:events';
import http from 'node:http';
import net, { createServer, type Server, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { apply, applyListener } from '../../src/api/apply.js';
import { defaultConfig } from '../../src/config/config.js';
import type { TuneConfig } from '../../src/config/tune-config.js';
import { SocketTuneError } from '../../src/errors.js';
import { quickAckHook } from '../../src/hooks/sockets/quick-ack.js';
import { counters } from '../../src/report/counters.js';
import { useScratch } from '../support/files/scratch.js';
import { hookContext } from '../support/hook-context.js';
import { kernelValue, linux } from '../support/sockets/kernel-value.js';
import { securePair } from '../support/sockets/secure-pair.js';
import {
  connection,
  handleOf,
  listenHandleOf,
  listening,
  type SocketPair,
  socketPair,
} from '../support/sockets/socket-pair.js';
import { differences, restore, type Snapshot, snapshot } from '../support/test-run/node-prototypes.js';

/** To arm QUICKACK, both replace the reading of sockets for good. Other tests need Node's own. */
function useNodesOwnReads(): void {
  let before: Snapshot;
  beforeEach(() => {
    before = snapshot();
  });
  afterEach(() => {
    const changed = differences(before, snapshot());
    expect(changed.filter((name) => name !== 'net.Socket.prototype._unrefTimer')).to.deep.equal([]);
    restore(before, changed);
    // After the undo, the hook counts as not installed.
    quickAckHook.install(hookContext({ quickAck: 'on' }, linux()))?.();
  });
}

function errorOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SocketTuneError) return `${error.code}: ${error.message}`;
    return String(error);
  }
  return 'no error';
}

describe('apply', () => {
  const scratch = useScratch();
  let pair: SocketPair;
  useNodesOwnReads();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  beforeEach(async () => {
    pair = await socketPair();
  });

  afterEach(() => pair.close());

  const userTimeout = (socket: Socket): number => kernelValue(handleOf(socket), 'TCP_USER_TIMEOUT');

  it('sets the options of a config on a socket, accepted or connected, and on no other', () => {
    for (const socket of [pair.accepted, pair.client]) {
      expect(userTimeout(socket)).to.equal(0);
      expect(apply(socket, { userTimeout: 4321, noDelay: true })).to.deep.equal([
        { option: 'noDelay', constant: 'TCP_NODELAY', asked: 1, verdict: 'applied' },
        { option: 'userTimeout', constant: 'TCP_USER_TIMEOUT', asked: 4321, verdict: 'applied' },
      ]);
      expect(userTimeout(socket)).to.equal(4321);
      expect(kernelValue(handleOf(socket), 'TCP_NODELAY')).to.equal(1);
    }
    apply(pair.client, { userTimeout: 99 });
    expect(userTimeout(pair.accepted)).to.equal(4321);
  });

  it('leaves out the options of listeners alone', () => {
    const outcomes = apply(pair.accepted, defaultConfig());
    const options = outcomes.map((outcome) => outcome.option);
    expect(options).to.include('keepAliveIdle').and.not.include('fastOpen').and.not.include('deferAccept');
  });

  it('returns the same outcome objects each time for a frozen config', async () => {
    const config = Object.freeze({ userTimeout: 4321 });
    const other = await socketPair();
    const outcomes = apply(pair.accepted, config);
    expect(apply(pair.client, config)).to.equal(outcomes);
    expect(apply(other.accepted, config)).to.equal(outcomes);
    expect(userTimeout(other.accepted)).to.equal(4321);
    other.close();
  });

  it('plans a config that is not frozen each time', () => {
    const config: { userTimeout: number; noDelay?: boolean } = { userTimeout: 1000 };
    apply(pair.accepted, config);
    expect(userTimeout(pair.accepted)).to.equal(1000);
    config.userTimeout = 2000;
    config.noDelay = true;
    expect(apply(pair.accepted, config)).to.have.length(2);
    expect(userTimeout(pair.accepted)).to.equal(2000);
    config.userTimeout = -1;
    expect(() => apply(pair.accepted, config)).to.throw(SocketTuneError);
  });

  it('sets buffers as a floor, or exactly', () => {
    const initial = kernelValue(handleOf(pair.accepted), 'SO_SNDBUF');
    expect(apply(pair.accepted, { sendBuffer: 98_304 })).to.deep.equal([]);
    expect(kernelValue(handleOf(pair.accepted), 'SO_SNDBUF')).to.equal(initial);
    expect(apply(pair.accepted, { sendBuffer: 98_304, bufferMode: 'exact' })).to.have.length(1);
    expect(kernelValue(handleOf(pair.accepted), 'SO_SNDBUF')).to.equal(196_608);
  });

  it('reports an option that the kernel refuses, and sets the others', () => {
    pair.accepted.destroy();
    expect(errorOf(() => apply(pair.accepted, {}))).to.match(/^ERR_SOCKET_TUNE_SOCKET_CLOSED/);
    const outcomes = apply(pair.client, { keepAlive: true, keepAliveCount: 127, userTimeout: 3 });
    expect(outcomes.map((outcome) => outcome.verdict)).to.deep.equal(['applied', 'applied', 'applied']);
  });

  it('tunes the connection below TLS', async () => {
    const secure = await securePair();
    for (const socket of [secure.accepted, secure.client]) {
      expect(userTimeout(socket)).to.equal(0);
      apply(socket, { userTimeout: 777 });
      expect(userTimeout(socket)).to.equal(777);
    }
    secure.close();
  });

  it('sets no TCP options on a Unix socket', async () => {
    const unix = await socketPair(scratch.path('unix'));
    const config = Object.freeze({ noDelay: true, userTimeout: 5, quickAck: 'on' } satisfies TuneConfig);
    expect(apply(unix.accepted, config)).to.deep.equal([]);
    expect(apply(pair.accepted, config)).to.have.length(3);
    const before = counters.quickAcks;
    const data = once(unix.accepted, 'data');
    unix.client.write('x');
    await data;
    await setImmediate();
    expect(counters.quickAcks).to.equal(before);
    unix.close();
  });

  it('re-arms QUICKACK with every read if it is on', async () => {
    const read = async (): Promise<number> => {
      const before = counters.quickAcks;
      const data = once(pair.accepted, 'data');
      pair.client.write('x');
      await data;
      return counters.quickAcks - before;
    };
    expect(await read()).to.equal(0);
    apply(pair.accepted, { quickAck: 'once' });
    expect(await read()).to.equal(0);
    apply(pair.accepted, { quickAck: 'on' });
    expect(await read()).to.equal(1);
    expect(await read()).to.equal(1);
  });

  it('refuses anything but a socket', () => {
    const config = defaultConfig();
    const message = (socket: unknown): string => errorOf(() => Reflect.apply(apply, undefined, [socket, config]));
    expect(message(undefined)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: socket must be a net.Socket, not undefined');
    expect(message('x')).to.equal("ERR_SOCKET_TUNE_INVALID_ARG: socket must be a net.Socket, not a string ('x')");
    expect(message({ _handle: {} })).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: socket must be a net.Socket, not an instance of Object',
    );
    expect(message(createServer())).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: socket must be a net.Socket, not an instance of Server',
    );
  });

  it('refuses a socket that is closed, or has not begun to connect', () => {
    expect(errorOf(() => apply(new Socket(), {}))).to.equal(
      'ERR_SOCKET_TUNE_SOCKET_CLOSED: socket is closed, or has not begun to connect',
    );
    pair.client.destroy();
    expect(errorOf(() => apply(pair.client, {}))).to.match(/^ERR_SOCKET_TUNE_SOCKET_CLOSED/);
  });

  it('refuses an invalid config, frozen or not', () => {
    const message = (config: unknown): string =>
      errorOf(() => Reflect.apply(apply, undefined, [pair.accepted, config]));
    expect(message({ noDelay: 1 })).to.equal(
      'ERR_SOCKET_TUNE_INVALID_VALUE: config.noDelay must be a boolean, not a number (1)',
    );
    expect(message(Object.freeze({ speed: 1 }))).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: config.speed is not an option of socket-tune',
    );
    expect(message('default')).to.equal(
      "ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not a string ('default')",
    );
    expect(message(undefined)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not undefined');
    expect(message(null)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not null');
  });
});

describe('applyListener', () => {
  const scratch = useScratch();
  const servers: Server[] = [];
  const pairs: SocketPair[] = [];
  useNodesOwnReads();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  afterEach(() => {
    for (const pair of pairs.splice(0)) pair.close();
    for (const server of servers.splice(0)) server.close();
  });

  async function serve(server: Server = createServer(), path?: string): Promise<Server> {
    servers.push(server);
    return listening(server, path);
  }

  async function connect(server: Server): Promise<SocketPair> {
    const pair = await connection(server);
    pairs.push(pair);
    return pair;
  }

  const CONFIG: TuneConfig = { noDelay: true, userTimeout: 4321, deferAccept: 3 };

  it('sets the options on the listener, and so on every later connection', async () => {
    const server = await serve();
    const before = await connect(server);
    const outcomes = applyListener(server, CONFIG);
    expect(outcomes.map(({ option, verdict, kernel }) => [option, verdict, kernel])).to.deep.equal([
      ['noDelay', 'applied', 1],
      ['userTimeout', 'applied', 4321],
      ['deferAccept', 'unneeded', undefined],
    ]);
    expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(4321);
    for (let count = 0; count < 2; count++) {
      const { accepted } = await connect(server);
      expect(kernelValue(handleOf(accepted), 'TCP_USER_TIMEOUT')).to.equal(4321);
      expect(kernelValue(handleOf(accepted), 'TCP_NODELAY')).to.equal(1);
    }
    expect(kernelValue(handleOf(before.accepted), 'TCP_USER_TIMEOUT')).to.equal(0);
  });

  it('defers accepting on an http server, and keeps its setting of Nagle’s algorithm', async () => {
    const server = await serve(http.createServer({ noDelay: false }));
    const outcomes = applyListener(server, CONFIG);
    expect(outcomes.map((outcome) => outcome.option)).to.deep.equal(['deferAccept', 'userTimeout']);
    expect(kernelValue(listenHandleOf(server), 'TCP_DEFER_ACCEPT')).to.be.at.least(3);
    expect(kernelValue(listenHandleOf(server), 'TCP_NODELAY')).to.equal(0);
  });

  it('keeps Nagle’s algorithm on an http server, which would switch it off', async () => {
    const server = await serve(http.createServer());
    expect(kernelValue(handleOf((await connect(server)).accepted), 'TCP_NODELAY')).to.equal(1);
    applyListener(server, { noDelay: false });
    expect(kernelValue(handleOf((await connect(server)).accepted), 'TCP_NODELAY')).to.equal(0);
  });

  it('arms QUICKACK on later connections', async () => {
    const server = await serve(createServer((socket) => socket.resume()));
    const read = async ({ accepted, client }: SocketPair): Promise<number> => {
      const before = counters.quickAcks;
      const data = once(accepted, 'data');
      client.write('x');
      await data;
      return counters.quickAcks - before;
    };
    expect(await read(await connect(server))).to.equal(0);
    applyListener(server, { quickAck: 'on' });
    expect(await read(await connect(server))).to.equal(1);
  });

  it('sets no TCP options on a Unix listener, which goes on accepting', async () => {
    const server = await serve(createServer(), scratch.path('listener'));
    const outcomes = applyListener(server, CONFIG);
    expect(outcomes.map((outcome) => outcome.verdict)).to.deep.equal(['unneeded', 'unneeded', 'unneeded']);
    const { accepted } = await connect(server);
    expect(accepted.destroyed).to.equal(false);
  });

  it('refuses anything but a listening server, and an invalid config', async () => {
    const call = (...args: unknown[]): string => errorOf(() => Reflect.apply(applyListener, undefined, args));
    expect(call({}, {})).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: server must be a net.Server, not an instance of Object',
    );
    expect(call(new Socket(), {})).to.equal(
      'ERR_SOCKET_TUNE_INVALID_ARG: server must be a net.Server, not an instance of Socket',
    );
    expect(call(net.createServer(), {})).to.equal(
      'ERR_SOCKET_TUNE_SOCKET_CLOSED: server is not listening; call this when it is',
    );
    const server = await serve();
    expect(call(server, null)).to.equal('ERR_SOCKET_TUNE_INVALID_ARG: config must be an object, not null');
    expect(call(server, { userTimeout: 0 })).to.match(/^ERR_SOCKET_TUNE_INVALID_VALUE: config\.userTimeout must be/);
    expect(kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT')).to.equal(0);
  });
});
