import { connect, createServer, type Socket } from 'node:net';
// The hook asks whether this is the main thread; Node replaces process.chdir when this is first loaded.
import 'node:worker_threads';
import { expect } from 'chai';
import { patchBind } from '../../../src/hooks/before-bind.js';
import type { HookContext } from '../../../src/hooks/context.js';
import { ACCEPTED } from '../../../src/hooks/shared-port/accepted-count.js';
import { clusterHook } from '../../../src/hooks/shared-port/cluster.js';
import { maySharePort } from '../../../src/hooks/shared-port/reuse-port.js';
import type { Steering } from '../../../src/native/ports/socket-program.js';
import { type ClusterMessage, type ClusterWorker, cluster } from '../../../src/node/cluster.js';
import { asNetServer, closeHandle } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import type { OptionValues } from '../../../src/options/table.js';
import { type ListenerRecord, listenerRecords } from '../../../src/report/listener-record.js';
import { hookContext } from '../../support/hook-context.js';
import { portsOf, withPorts } from '../../support/ports.js';
import { freePort } from '../../support/sockets/free-port.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { until } from '../../support/until.js';
import { useBoundHandles } from './bound-handles.js';
import { type FakeWorker, fakeWorker, type SentMessage } from './fake-worker.js';

const MARK = { SOCKET_TUNE_TEST_MARK: '1' };
const CLIENTS = 24;

describe('the primary of a cluster', () => {
  const module: { fork: unknown } = cluster();
  const { fork } = module;
  const handles = useBoundHandles();
  const clients: Socket[] = [];
  let workers: FakeWorker[] = [];
  let environments: unknown[] = [];
  let steerings: (Steering | undefined)[] = [];
  let undo: Undo | undefined;
  let unpatch: Undo | undefined;
  let port = 0;
  let seq = 0;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    unpatch = patchBind();
  });

  after(() => unpatch?.());

  beforeEach(async () => {
    port = await freePort();
    workers = [];
    environments = [];
    steerings = [];
    module.fork = (environment: unknown): ClusterWorker => {
      environments.push(environment);
      const made = fakeWorker(1000 + workers.length);
      workers.push(made);
      return made.worker;
    };
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const worker of workers) worker.exit();
    undo?.();
    undo = undefined;
    module.fork = fork;
  });

  function install(values: OptionValues = { reusePort: 'on' }, rest: Partial<HookContext> = {}): void {
    const platform = withPorts(linux(), {
      steer(handle, steering) {
        steerings.push(steering);
        return portsOf(linux()).steer(handle, steering);
      },
    });
    undo = clusterHook.install(hookContext(values, platform, { primaryMark: MARK, ...rest }));
  }

  function forked(): FakeWorker {
    cluster().fork();
    return workers.at(-1) as FakeWorker;
  }

  /** The query of a worker that listens on the port. */
  function query(worker: FakeWorker, rest: Partial<ClusterMessage> = {}): void {
    const address = '127.0.0.1';
    worker.say({ act: 'queryServer', seq: seq++, index: 0, address, port, addressType: 4, flags: 0, ...rest });
  }

  /** The answer to a query that has just been asked. */
  function answer(worker: FakeWorker, rest: Partial<ClusterMessage> = {}): SentMessage {
    const before = worker.sent.length;
    query(worker, rest);
    const sent = worker.sent[before];
    if (sent === undefined) throw new Error('the query was not answered');
    return sent;
  }

  function record(): ListenerRecord {
    const last = listenerRecords().at(-1);
    if (last?.address !== `127.0.0.1:${port}`) throw new Error('the group has no record');
    return last;
  }

  const portOf = ({ handle }: SentMessage): unknown => {
    const name = {};
    Reflect.apply(Reflect.get(handle, 'getsockname'), handle, [name]);
    return Reflect.get(name, 'port');
  };

  it('forks workers with its mark in their environment, and without it once the hook is undone', () => {
    install();
    const worker = cluster().fork({ OF_THE_APP: '2' });
    expect(worker).to.equal(workers[0]?.worker);
    expect(environments).to.deep.equal([{ OF_THE_APP: '2', ...MARK }]);
    undo?.();
    cluster().fork({ OF_THE_APP: '2' });
    expect(environments[1]).to.deep.equal({ OF_THE_APP: '2' });
    query(workers[1] as FakeWorker);
    expect(workers[1]?.received).to.have.lengthOf(1);
  });

  it('has no hook where no port is shared', () => {
    install({ reusePort: 'off' });
    expect(undo).to.equal(undefined);
  });

  it("answers each worker with a listener of its own, and Node's code does not see the query", () => {
    install();
    const [one, other] = [forked(), forked()];
    const [first, second] = [answer(one), answer(other)];
    expect(first.message).to.include({ cmd: 'NODE_CLUSTER', ack: seq - 2, errno: 0 });
    expect(second.message).to.include({ cmd: 'NODE_CLUSTER', ack: seq - 1, errno: 0 });
    expect(second.message.key).to.equal(first.message.key);
    expect(second.handle).not.to.equal(first.handle);
    expect([portOf(first), portOf(second)]).to.deep.equal([port, port]);
    expect([...one.received, ...other.received]).to.deep.equal([]);
    expect(record().group).to.include({ listeners: 2 });
  });

  it('gives all workers the data of the first: the keys of TLS session tickets', () => {
    install();
    expect(answer(forked(), { data: 'first' }).message.data).to.equal('first');
    expect(answer(forked(), { data: 'second' }).message.data).to.equal('first');
  });

  it('keeps on if a listener does not reach its worker', () => {
    install();
    const sent = answer(forked());
    expect(() => sent.done(new Error('EPIPE'))).not.to.throw();
  });

  const LEFT_TO_NODE: Readonly<Record<string, Partial<ClusterMessage>>> = {
    'a Unix socket': { address: '/a/path', port: -1, addressType: -1 },
    'a UDP port': { addressType: 'udp4' },
    'a descriptor': { fd: 3 },
    'a port that is none': { port: undefined },
    'flags that are none': { flags: 'all' },
    'an address that is none': { address: 7 },
    'a port that is not shared': { port: 81 },
  };

  for (const [what, message] of Object.entries(LEFT_TO_NODE)) {
    it(`leaves a query for ${what} to Node's own code`, () => {
      install(undefined, { ports: { 81: { reusePort: 'off' } } });
      const worker = forked();
      query(worker, message);
      expect(worker.sent).to.deep.equal([]);
      expect(worker.received).to.have.lengthOf(1);
    });
  }

  it('takes a query without flags, descriptor and address for one on all addresses', () => {
    install();
    expect(portOf(answer(forked(), { address: null, addressType: 6, flags: undefined, fd: null }))).to.equal(port);
  });

  it('leaves a query to Node if the worker disconnects, listens twice, or the port is taken', () => {
    install();
    const worker = forked();
    const leaves = (): void => {
      const [sent, received] = [worker.sent.length, worker.received.length];
      query(worker);
      expect([worker.sent.length, worker.received.length]).to.deep.equal([sent, received + 1]);
    };
    worker.exitedAfterDisconnect = true;
    leaves();
    worker.exitedAfterDisconnect = false;
    const taken = handles.bind('127.0.0.1', port);
    expect(taken?.listen(1)).to.equal(0);
    leaves();
    taken?.close();
    answer(worker);
    leaves();
  });

  it("lets Node's own code share no port while it answers a query, and only then", () => {
    install();
    const worker = forked();
    const args = ['127.0.0.1', port, 4, 511, undefined, 0];
    const mayShare: boolean[] = [];
    Reflect.set(worker.received, 'push', () => {
      const server = createServer().listen(0, '127.0.0.1');
      mayShare.push(maySharePort(asNetServer(server), args));
      server.close();
    });
    query(worker, { fd: 3 });
    worker.say({ act: 'online' });
    expect(mayShare).to.deep.equal([false, true]);
  });

  it('gives port 0 of one listen() to all workers as one port, and that of another as another', () => {
    install();
    const [one, other] = [forked(), forked()];
    const first = answer(one, { port: 0 });
    const [same, another] = [answer(other, { port: 0 }), answer(other, { port: 0, index: 1 })];
    expect(portOf(first)).to.be.greaterThan(0);
    expect(portOf(same)).to.equal(portOf(first));
    expect(portOf(another)).not.to.equal(portOf(first));
  });

  it('closes the port when the last worker closes its listener', () => {
    install();
    const [one, other] = [forked(), forked()];
    const { key } = answer(one).message;
    answer(other);
    const first = record();
    one.say({ act: 'close', key });
    expect(portsOf(linux()).sockets(port, 'LISTEN')).to.have.lengthOf(2);
    other.say({ act: 'close', key });
    expect(portsOf(linux()).sockets(port, 'LISTEN')).to.deep.equal([]);
    expect([...one.received, ...other.received]).to.deep.equal([]);
    // Another group, with a record of its own.
    expect(portOf(answer(other))).to.equal(port);
    expect(record()).not.to.equal(first);
  });

  it('leaves the closing of what Node has made to Node', () => {
    install();
    const worker = forked();
    worker.say({ act: 'close', key: 'of Node' });
    worker.say({ act: 'close' });
    worker.say({ act: 'close', key: 'of Node', cmd: 'OF_THE_APP' });
    expect(worker.received).to.have.lengthOf(3);
  });

  it('gives the listener of a worker that has gone to the next', () => {
    install();
    const [one, other, next] = [forked(), forked(), forked()];
    answer(one);
    const { handle } = answer(other);
    other.exit();
    expect(answer(next).handle).to.equal(handle);
    expect(record().group).to.include({ listeners: 2 });
  });

  it('steers again when a worker listens, as it may have bound itself to a CPU, and Node is told too', () => {
    install({ reusePort: 'cpu' });
    const worker = forked();
    answer(worker);
    expect(steerings).to.have.lengthOf(1);
    worker.say({ act: 'listening' });
    expect(steerings).to.have.lengthOf(2);
    forked().say({ act: 'listening' });
    expect(steerings).to.have.lengthOf(2);
    expect(worker.received).to.have.lengthOf(1);
  });

  it('reports what its workers have accepted, and how even that is', () => {
    install();
    const [one, other] = [forked(), forked()];
    answer(one);
    answer(other);
    const { address, group } = record();
    one.say({ act: ACCEPTED, address, data: 30 });
    expect(group).to.deep.include({ imbalance: 1, workers: { [one.worker.process.pid ?? 0]: 30 } });
    other.say({ act: ACCEPTED, address, data: 10 });
    one.say({ act: ACCEPTED, address: '127.0.0.1:1', data: 99 });
    one.say({ act: ACCEPTED, address, data: 'many' });
    const workersOf = { [one.worker.process.pid ?? 0]: 30, [other.worker.process.pid ?? 0]: 10 };
    expect(group).to.deep.include({ imbalance: 1.5, workers: workersOf });
    expect([...one.received, ...other.received]).to.deep.equal([]);
  });

  it('hands the connections of a listener without a worker to the others, and counts those that are accepted', async () => {
    install();
    const [one, other] = [forked(), forked()];
    const { key } = answer(one).message;
    answer(other);
    for (let count = 0; count < CLIENTS; count++) clients.push(connect(port, '127.0.0.1').on('error', () => undefined));
    const queues = () => (portsOf(linux()).sockets(port, 'LISTEN') ?? []).map(({ queued }) => queued);
    await until('all clients wait', () => queues().reduce((sum, each) => sum + each, 0) === CLIENTS);
    expect(Math.min(...queues())).to.be.greaterThan(0);
    other.say({ act: 'close', key });
    const handed = () => one.sent.filter(({ message }) => message.act === 'newconn');
    await until(
      'what waits at the listener without a worker is handed on',
      () => handed().length > 0 && queues().reduce((sum, each) => sum + each, 0) === CLIENTS - handed().length,
    );
    expect(handed()[0]?.message).to.include({ key });
    for (const { message } of handed()) one.say({ ack: message.seq, accepted: true });
    expect(record().connections).to.equal(handed().length);
    one.say({ ack: 12, accepted: true });
    expect(one.received).to.have.lengthOf(1);
  });

  it('closes the connections that a worker had when it went', async () => {
    install();
    const [one, other] = [forked(), forked()];
    const { key } = answer(one).message;
    answer(other);
    other.say({ act: 'close', key });
    // The kernel's own choice, so that the relay gets some too.
    portsOf(linux()).steer(one.sent[0]?.handle ?? {}, undefined);
    for (let count = 0; count < CLIENTS; count++) clients.push(connect(port, '127.0.0.1').on('error', () => undefined));
    const handed = () => one.sent.filter(({ message }) => message.act === 'newconn');
    await until('a connection is handed on', () => handed().length > 0);
    const connections = handed().map(({ handle }) => handle);
    expect(connections.every(({ fd }) => (fd ?? -1) >= 0)).to.equal(true);
    one.exit();
    expect(connections.every(({ fd }) => (fd ?? -1) < 0)).to.equal(true);
    for (const connection of connections) closeHandle(connection);
  });
});
