import { readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { constants } from 'node:os';
import { expect } from 'chai';
import { patchBind } from '../../../src/hooks/before-bind.js';
import { overlapsOwnPort } from '../../../src/hooks/shared-port/own-ports.js';
import { PortGroup, type PortRequest } from '../../../src/hooks/shared-port/port-group.js';
import type { Platform } from '../../../src/native/platform.js';
import type { Steering } from '../../../src/native/ports/socket-program.js';
import { type BoundHandle, closeHandle, type ListenHandle, type SocketHandle } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import type { OptionValues } from '../../../src/options/table.js';
import { hookContext } from '../../support/hook-context.js';
import { portsOf, withPorts } from '../../support/ports.js';
import { freePort } from '../../support/sockets/free-port.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';
import { turns } from '../../support/turns.js';
import { until } from '../../support/until.js';
import { useBoundHandles } from './bound-handles.js';

const { EINVAL, EMFILE, EPERM } = constants.errno;
const BACKLOG = 64;
const CLIENTS = 24;

/** A steering as the platform was asked for it; undefined where it was taken back. */
type Asked = Pick<Steering, 'active' | 'byCpu'> | undefined;

describe('a group of listeners', () => {
  const handles = useBoundHandles();
  const groups: PortGroup[] = [];
  const clients: Socket[] = [];
  let unpatch: Undo | undefined;
  let port = 0;
  let relayed: SocketHandle[] = [];
  let steerings: Asked[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
    unpatch = patchBind();
  });

  after(() => unpatch?.());

  beforeEach(async () => {
    port = await freePort();
    relayed = [];
    steerings = [];
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const made of groups.splice(0)) made.close();
    for (const client of relayed) closeHandle(client);
  });

  /** The running kernel, with notes of how it was asked to steer. */
  function noting(overrides: Partial<Platform> = {}): Platform {
    const platform = { ...linux(), ...overrides };
    return withPorts(platform, {
      steer(handle, steering) {
        steerings.push(steering && { active: steering.active, byCpu: steering.byCpu });
        return portsOf(platform).steer(handle, steering);
      },
    });
  }

  function group(
    overrides: Partial<Platform> = {},
    values: OptionValues = { reusePort: 'on' },
    request: Partial<PortRequest> = {},
  ): PortGroup {
    const made = new PortGroup(
      hookContext(values, noting(overrides)),
      { address: '127.0.0.1', port, addressType: 4, flags: 0, backlog: BACKLOG, ...request },
      (client) => relayed.push(client),
    );
    groups.push(made);
    return made;
  }

  function opened(...how: Parameters<typeof group>): PortGroup {
    const made = group(...how);
    expect(made.open()).to.equal(true);
    return made;
  }

  function take(from: PortGroup, worker: number): BoundHandle {
    const handle = from.take({ id: worker, pid: undefined });
    if (handle === undefined) throw new Error('no listener was to be had');
    return handle;
  }

  const socketOf = ({ fd }: ListenHandle): string => readlinkSync(`/proc/self/fd/${fd}`);

  /** Connections that wait in the accept queues of the port, by the listener's socket. */
  function queues(): Map<string, number> {
    const listeners = portsOf(linux()).sockets(port, 'LISTEN') ?? [];
    return new Map(listeners.map(({ inode, queued }) => [`socket:[${inode}]`, queued]));
  }

  const queueOf = (handle: ListenHandle): number => queues().get(socketOf(handle)) ?? 0;
  const waiting = (): number => [...queues().values()].reduce((sum, each) => sum + each, 0);

  /** Connect some clients, and wait until each is accepted by the kernel. */
  async function connectClients(): Promise<void> {
    const before = waiting() + relayed.length;
    for (let count = 0; count < CLIENTS; count++) clients.push(connect(port, '127.0.0.1').on('error', () => undefined));
    await until('all clients have come', () => waiting() + relayed.length === before + CLIENTS);
  }

  const outcomesOf = ({ outcomes }: PortGroup): string[] =>
    outcomes.map(({ constant, verdict, asked }) => `${constant} ${asked} ${verdict}`);

  describe('is opened', () => {
    it('with one listener that listens, shares its port, and waits for a worker', () => {
      const made = opened();
      expect(made.bound).to.deep.equal({ address: `127.0.0.1:${port}`, port });
      expect(made.size).to.equal(1);
      expect(made.workers).to.deep.equal([]);
      expect(outcomesOf(made)[0]).to.equal('SO_REUSEPORT 1 applied');
      expect(
        portsOf(linux())
          .sockets(port, 'LISTEN')
          ?.map(({ backlog }) => backlog),
      ).to.deep.equal([BACKLOG]);
    });

    it('with the options of its port, on every listener', () => {
      const made = opened({}, { reusePort: 'on', userTimeout: 54_321 });
      expect(outcomesOf(made)).to.include('TCP_USER_TIMEOUT 54321 applied');
      const [first, second] = [take(made, 1), take(made, 2)];
      expect(kernelValue(first, 'TCP_USER_TIMEOUT')).to.equal(54_321);
      expect(kernelValue(second, 'TCP_USER_TIMEOUT')).to.equal(54_321);
      expect(outcomesOf(made).filter((outcome) => outcome.startsWith('TCP_USER_TIMEOUT'))).to.have.lengthOf(1);
    });

    it('and its port is one of this thread until it closes', () => {
      const made = opened();
      expect(overlapsOwnPort('127.0.0.1', port, 0)).to.equal(true);
      made.close();
      expect(overlapsOwnPort('127.0.0.1', port, 0)).to.equal(false);
    });

    it('not where another process has the port alone (EADDRINUSE)', () => {
      expect(handles.bind('127.0.0.1', port)?.listen(1)).to.equal(0);
      expect(group().open()).to.equal(false);
    });

    it('not where another process shares the port already', () => {
      opened();
      expect(group().open()).to.equal(false);
      expect(portsOf(linux()).sockets(port, 'LISTEN')).to.have.lengthOf(1);
    });

    it('not on an address that this machine does not have', () => {
      expect(group({}, undefined, { address: '192.0.2.1' }).open()).to.equal(false);
    });

    it('not where the system refuses or lacks SO_REUSEPORT, and nothing is left open', () => {
      const { SO_REUSEPORT, ...others } = linux().constants;
      const refused = (overrides: Partial<Platform>): void => {
        expect(group(overrides).open()).to.equal(false);
        const free = handles.bind('127.0.0.1', port);
        expect(free).not.to.equal(undefined);
        free?.close();
      };
      refused({ constants: others });
      refused({
        set: (handle, constant, value) => (constant === SO_REUSEPORT ? EPERM : linux().set(handle, constant, value)),
      });
    });

    it('not where listen(2) fails or is not to be had, and nothing is left open', () => {
      const { 'listen(2)': listen, ...others } = linux().constants;
      const refused = (overrides: Partial<Platform>): void => {
        expect(group(overrides).open()).to.equal(false);
        const free = handles.bind('127.0.0.1', port);
        expect(free).not.to.equal(undefined);
        free?.close();
      };
      refused({ constants: others });
      refused({
        set: (handle, constant, value) => (constant === listen ? EINVAL : linux().set(handle, constant, value)),
      });
    });
  });

  describe('gives a worker that joins', () => {
    it('the first listener, and each other worker a new one on the same port', async () => {
      const made = opened();
      const [first, second] = [take(made, 1), take(made, 2)];
      expect(first).not.to.equal(second);
      expect(made.size).to.equal(2);
      expect(made.workers).to.deep.equal([1, 2]);
      expect([made.has(1), made.has(2), made.has(3)]).to.deep.equal([true, true, false]);
      await connectClients();
      expect(queueOf(first) + queueOf(second)).to.equal(CLIENTS);
      expect(Math.min(queueOf(first), queueOf(second))).to.be.greaterThan(0);
    });

    it('the port that port 0 has become', () => {
      const made = opened({}, undefined, { port: 0 });
      const [first, second] = [take(made, 1), take(made, 2)];
      const names = [first, second].map((handle) => {
        const name = {};
        handle.getsockname?.(name);
        return name;
      });
      expect(names[0]).to.have.property('port').that.is.greaterThan(0);
      expect(names[1]).to.deep.equal(names[0]);
      expect(made.bound.port).to.equal(Reflect.get(names[0] ?? {}, 'port'));
    });

    it('nothing if there are no more descriptors, or the option is refused', () => {
      const { SO_REUSEPORT } = linux().constants;
      let isRefused = false;
      const made = opened({
        set: (handle, constant, value) =>
          isRefused && constant === SO_REUSEPORT ? EPERM : linux().set(handle, constant, value),
      });
      take(made, 1);
      isRefused = true;
      expect(made.take({ id: 2, pid: undefined })).to.equal(undefined);
      expect(made.workers).to.deep.equal([1]);
      expect(made.size).to.equal(1);
      isRefused = false;
      take(made, 2);
      expect(made.workers).to.deep.equal([1, 2]);
    });

    it('nothing if its listener cannot listen, and that listener is closed', () => {
      const { 'listen(2)': listen } = linux().constants;
      let socket: string | undefined;
      let isRefused = false;
      const made = opened({
        set(handle, constant, value) {
          if (!isRefused || constant !== listen) return linux().set(handle, constant, value);
          socket = socketOf(handle);
          return EINVAL;
        },
      });
      take(made, 1);
      isRefused = true;
      expect(made.take({ id: 2, pid: undefined })).to.equal(undefined);
      expect(made.size).to.equal(1);
      expect(socket).to.match(/^socket:/);
      expect(descriptorsOf(socket ?? '')).to.deep.equal([]);
    });
  });

  describe('keeps the listener of a worker that leaves', () => {
    it('and accepts what waits there in the primary, and sends nobody there any more', async () => {
      const made = opened();
      const [first, second] = [take(made, 1), take(made, 2)];
      await connectClients();
      const [atFirst, atSecond] = [queueOf(first), queueOf(second)];
      expect(atSecond).to.be.greaterThan(0);
      expect(made.leave(2)).to.equal(false);
      expect(made.workers).to.deep.equal([1]);
      expect(made.size).to.equal(2);
      await until('what waited is accepted', () => relayed.length === atSecond);
      await connectClients();
      expect(queueOf(first)).to.equal(atFirst + CLIENTS);
      expect(relayed).to.have.lengthOf(atSecond);
    });

    it('and relays what the kernel sends there where it refuses to steer', async () => {
      const made = opened(withPorts(linux(), { steer: () => EPERM }));
      const first = take(made, 1);
      take(made, 2);
      made.leave(2);
      await connectClients();
      await until('all have been accepted or wait', () => queueOf(first) + relayed.length === CLIENTS);
      expect(relayed.length).to.be.greaterThan(0);
      expect(outcomesOf(made)).to.include('SO_ATTACH_REUSEPORT_CBPF 1 refused');
    });

    it('and gives it to the next worker, who finds there what comes in', async () => {
      const made = opened();
      const [first, second] = [take(made, 1), take(made, 2)];
      made.leave(2);
      expect(take(made, 3)).to.equal(second);
      expect(made.workers).to.deep.equal([1, 3]);
      expect(made.size).to.equal(2);
      await turns();
      await connectClients();
      await turns();
      expect(relayed).to.deep.equal([]);
      expect(queueOf(second)).to.be.greaterThan(0);
      expect(queueOf(first) + queueOf(second)).to.equal(CLIENTS);
    });

    it('unless there are no more descriptors: then it is closed, and the last one takes its number', async () => {
      const { files } = linux();
      const made = opened({ files: files && { ...files, duplicate: () => -EMFILE } });
      const [first, second, third] = [take(made, 1), take(made, 2), take(made, 3)];
      const socket = socketOf(first);
      expect(made.leave(1)).to.equal(false);
      expect(descriptorsOf(socket)).to.deep.equal([]);
      expect(made.size).to.equal(2);
      expect(made.workers).to.deep.equal([3, 2]);
      await connectClients();
      expect(queueOf(second) + queueOf(third)).to.equal(CLIENTS);
      expect(Math.min(queueOf(second), queueOf(third))).to.be.greaterThan(0);
    });

    it('unless the system cannot duplicate descriptors at all', () => {
      const made = opened({ files: undefined });
      take(made, 1);
      const second = take(made, 2);
      const socket = socketOf(second);
      made.leave(2);
      expect(descriptorsOf(socket)).to.deep.equal([]);
      expect(made.workers).to.deep.equal([1]);
      expect(made.size).to.equal(1);
    });

    it('unless the second descriptor is of no use: that one is closed too', () => {
      const { files } = linux();
      // libuv opens no handle for a descriptor that is not there.
      const useless = 1_000_000;
      const closed: number[] = [];
      const made = opened({
        files: files && { ...files, duplicate: () => useless },
        close: (fd) => closed.push(fd),
      });
      take(made, 1);
      take(made, 2);
      made.leave(2);
      expect(made.size).to.equal(1);
      expect(closed).to.deep.equal([useless]);
    });

    it('but not that of somebody who has none', () => {
      const made = opened();
      take(made, 1);
      expect(made.leave(2)).to.equal(false);
      expect(made.workers).to.deep.equal([1]);
      expect(steerings).to.deep.equal([]);
    });
  });

  it('ends when its last worker leaves: the port is free, relays included', () => {
    const made = opened();
    take(made, 1);
    take(made, 2);
    expect(made.leave(1)).to.equal(false);
    expect(handles.bind('127.0.0.1', port)).to.equal(undefined);
    expect(made.leave(2)).to.equal(true);
    expect(made.size).to.equal(0);
    expect(portsOf(linux()).sockets(port, 'LISTEN')).to.deep.equal([]);
    expect(handles.bind('127.0.0.1', port)).not.to.equal(undefined);
  });

  describe('steers', () => {
    it('with "on" only while a listener has no worker', () => {
      const made = opened();
      take(made, 1);
      take(made, 2);
      expect(steerings).to.deep.equal([]);
      made.leave(1);
      expect(steerings).to.deep.equal([{ active: [1], byCpu: false }]);
      expect(outcomesOf(made)).to.include('SO_ATTACH_REUSEPORT_CBPF 1 applied');
      take(made, 3);
      expect(steerings.slice(1)).to.deep.equal([undefined]);
      made.steer();
      expect(steerings).to.have.lengthOf(2);
    });

    it('with "on" among all where the kernel cannot take the choice back (before Linux 5.3)', () => {
      const made = opened(withPorts(linux(), { steer: (_, steering) => (steering === undefined ? EINVAL : 0) }));
      take(made, 1);
      take(made, 2);
      made.leave(1);
      take(made, 3);
      expect(steerings).to.deep.equal([{ active: [1], byCpu: false }, undefined, { active: [0, 1], byCpu: false }]);
    });

    it('with "cpu" from the first worker on, and reports the last outcome only', () => {
      const made = opened({}, { reusePort: 'cpu' });
      take(made, 1);
      take(made, 2);
      expect(steerings).to.deep.equal([
        { active: [0], byCpu: true },
        { active: [0, 1], byCpu: true },
      ]);
      const reported = outcomesOf(made).filter((outcome) => outcome.startsWith('SO_ATTACH'));
      expect(reported).to.deep.equal(['SO_ATTACH_REUSEPORT_CBPF 2 applied']);
    });

    it('nobody before there is a worker', () => {
      const made = opened({}, { reusePort: 'cpu' });
      made.steer();
      expect(steerings).to.deep.equal([]);
    });
  });
});
