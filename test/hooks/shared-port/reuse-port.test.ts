import { readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { constants } from 'node:os';
import { expect } from 'chai';
import { patchBind } from '../../../src/hooks/before-bind.js';
import type { HookContext } from '../../../src/hooks/context.js';
import { addOwnPort, removeOwnPort } from '../../../src/hooks/shared-port/own-ports.js';
import {
  bindHandle,
  bindShared,
  isBoundTo,
  maySharePort,
  sharesPorts,
  sharingOf,
  sharingOutcome,
  sharingStep,
  withoutSharing,
} from '../../../src/hooks/shared-port/reuse-port.js';
import type { Platform } from '../../../src/native/platform.js';
import { cluster } from '../../../src/node/cluster.js';
import { asNetServer, type BoundHandle } from '../../../src/node/net.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import type { OptionValues } from '../../../src/options/table.js';
import { fakePlatform } from '../../support/fake-platform.js';
import { hookContext } from '../../support/hook-context.js';
import { freePort } from '../../support/sockets/free-port.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { listenHandleOf, listening, portOf } from '../../support/sockets/socket-pair.js';
import { descriptorsOf } from '../../support/test-run/descriptors.js';
import { useBoundHandles } from './bound-handles.js';

const { EADDRNOTAVAIL, EPERM } = constants.errno;
const SHARED: OptionValues = { reusePort: 'on' };

function context(values: OptionValues, rest: Partial<HookContext> = {}): HookContext {
  return hookContext(values, fakePlatform(), rest);
}

/** Nothing may ask for the platform: that would load koffi. */
const WITHOUT_PLATFORM: Partial<HookContext> = {
  platform: () => {
    throw new Error('the platform was asked for');
  },
};

describe('the setting reusePort', () => {
  it('shares a port with "on" and "cpu", and not with "off" or unset', () => {
    expect(sharingOf(context({ reusePort: 'on' }), 80)).to.equal('on');
    expect(sharingOf(context({ reusePort: 'cpu' }), 80)).to.equal('cpu');
    expect(sharingOf(context({ reusePort: 'off' }), 80)).to.equal(undefined);
    expect(sharingOf(context({}), 80)).to.equal(undefined);
  });

  it('of a port goes before that of all', () => {
    const mixed = context(SHARED, { ports: { 81: { reusePort: 'off' }, 82: { reusePort: 'cpu' }, 83: {} } });
    expect([80, 81, 82, 83].map((port) => sharingOf(mixed, port))).to.deep.equal(['on', undefined, 'cpu', undefined]);
  });

  it('of any port makes the config one that shares ports', () => {
    expect(sharesPorts(context({ reusePort: 'off' }))).to.equal(false);
    expect(sharesPorts(context({}, { ports: { 81: {} } }))).to.equal(false);
    expect(sharesPorts(context(SHARED))).to.equal(true);
    expect(sharesPorts(context({}, { ports: { 81: { reusePort: 'cpu' } } }))).to.equal(true);
  });

  it('becomes SO_REUSEPORT=1, with "cpu" too', () => {
    for (const reusePort of ['on', 'cpu'] as const) {
      const step = sharingStep(context({ reusePort }), 80);
      expect(step?.row.constant).to.equal('SO_REUSEPORT');
      expect([...(step?.value ?? [])]).to.deep.equal([1]);
    }
  });

  it('becomes nothing where the port is not shared, and the platform is not asked for', () => {
    expect(sharingStep(context({ reusePort: 'off' }, WITHOUT_PLATFORM), 80)).to.equal(undefined);
    const mixed = context(SHARED, { ...WITHOUT_PLATFORM, ports: { 81: {} } });
    expect(sharingStep(mixed, 81)).to.equal(undefined);
    expect(() => sharingStep(mixed, 80)).to.throw('the platform was asked for');
  });

  it('becomes nothing on a system without SO_REUSEPORT', () => {
    const { SO_REUSEPORT, ...others } = fakePlatform().constants;
    expect(SO_REUSEPORT).not.to.equal(undefined);
    const platform = fakePlatform({ constants: others });
    expect(sharingStep(hookContext(SHARED, platform), 80)).to.equal(undefined);
  });
});

describe('a server that binds by itself', () => {
  const server = asNetServer(createServer());
  /** Arguments of `_listen2`. */
  const args = (port: unknown, address: unknown = '127.0.0.1', flags = 0): unknown[] => [
    address,
    port,
    4,
    511,
    undefined,
    flags,
  ];

  it('may share a port', () => {
    expect(maySharePort(server, args(8080))).to.equal(true);
  });

  it('does not share port 0, a path or a descriptor', () => {
    expect(maySharePort(server, args(0))).to.equal(false);
    expect(maySharePort(server, args(-1))).to.equal(false);
    expect(maySharePort(server, args(undefined))).to.equal(false);
  });

  it('does not share a port of this thread', () => {
    const own = {
      fd: 3,
      getsockname(name: object) {
        Object.assign(name, { address: '127.0.0.1', port: 8080 });
        return 0;
      },
    };
    addOwnPort(own, 0);
    expect(maySharePort(server, args(8080))).to.equal(false);
    expect(maySharePort(server, args(8080, '127.0.0.2'))).to.equal(true);
    removeOwnPort(own);
    expect(maySharePort(server, args(8080))).to.equal(true);
  });

  it('does not share its port in a cluster worker', () => {
    const module: { isWorker: boolean } = cluster();
    module.isWorker = true;
    try {
      expect(maySharePort(server, args(8080))).to.equal(false);
    } finally {
      module.isWorker = false;
    }
  });

  it('does not share its port if it began to listen while nothing was to be shared', async () => {
    const servers: Server[] = [];
    const open = (): void => {
      servers.push(createServer().listen(0, '127.0.0.1'));
    };
    open();
    withoutSharing(open);
    expect(() =>
      withoutSharing(() => {
        open();
        throw new Error('of Node');
      }),
    ).to.throw('of Node');
    open();
    expect(servers.map((each) => maySharePort(asNetServer(each), args(8080)))).to.deep.equal([
      true,
      false,
      false,
      true,
    ]);
    for (const each of servers) each.close();
  });
});

describe('binding a handle', () => {
  const handles = useBoundHandles();
  let unpatch: Undo | undefined;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    unpatch = patchBind();
  });

  after(() => unpatch?.());

  const at = (port: number, address = '127.0.0.1') => ({ address, port, addressType: 4, flags: 0 });

  function share(port: number, overrides: Partial<Platform> = {}): BoundHandle | undefined {
    const shared = hookContext(SHARED, { ...linux(), ...overrides });
    const handle = bindShared(shared, at(port));
    return handle && handles.track(handle);
  }

  it('answers with the error of libuv where there is no such address', () => {
    expect(bindHandle(at(0, '192.0.2.1'))).to.equal(-EADDRNOTAVAIL);
  });

  it('shares its port with a second one, and both listen', async () => {
    const port = await freePort();
    const bound = [share(port), share(port)];
    for (const handle of bound) {
      expect(handle && kernelValue(handle, 'SO_REUSEPORT')).to.equal(1);
      expect(handle?.listen(1)).to.equal(0);
    }
    expect(handles.bind('127.0.0.1', port)).to.equal(undefined);
  });

  it('goes by the settings of another port where it is told so', async () => {
    const port = await freePort();
    const mixed = hookContext(SHARED, linux(), { ports: { [port]: {}, 81: { reusePort: 'off' } } });
    expect(bindShared(mixed, at(port))).to.equal(undefined);
    expect(bindShared(mixed, at(port), 81)).to.equal(undefined);
    const handle = bindShared(mixed, at(port), 0);
    expect(handle && kernelValue(handles.track(handle), 'SO_REUSEPORT')).to.equal(1);
  });

  it('gives up where another process has the port alone, and closes what it has opened', async () => {
    const server = await listening();
    const port = portOf(server);
    let socket = '';
    const handle = share(port, {
      set(opened, ...rest) {
        socket = readlinkSync(`/proc/self/fd/${opened.fd}`);
        expect(descriptorsOf(socket)).to.have.lengthOf(1);
        return linux().set(opened, ...rest);
      },
    });
    expect(handle).to.equal(undefined);
    expect(socket).to.match(/^socket:/);
    expect(descriptorsOf(socket)).to.deep.equal([]);
    server.close();
  });

  it('gives up where the system refuses SO_REUSEPORT: else the port would be this listener’s alone', async () => {
    const port = await freePort();
    expect(share(port, { set: () => EPERM })).to.equal(undefined);
    expect(handles.bind('127.0.0.1', port)).not.to.equal(undefined);
  });

  it('has it on its port, on any port if it asked for 0, and on none if the port is taken', async () => {
    const server = await listening();
    const port = portOf(server);
    expect(isBoundTo(listenHandleOf(server), port)).to.equal(true);
    expect(isBoundTo(listenHandleOf(server), 0)).to.equal(true);
    expect(isBoundTo(listenHandleOf(server), port + 1)).to.equal(false);
    const late = bindHandle(at(port));
    if (typeof late !== 'object') throw new Error('libuv has reported EADDRINUSE by itself');
    handles.track(late);
    expect(isBoundTo(late, port)).to.equal(false);
    server.close();
  });

  describe('in the primary of a cluster', () => {
    const module: { isWorker: boolean } = cluster();

    beforeEach(() => {
      module.isWorker = true;
    });

    afterEach(() => {
      module.isWorker = false;
    });

    it('is reported by the worker as the kernel has it', async () => {
      const port = await freePort();
      const shared = hookContext(SHARED, linux());
      const handle = share(port) as BoundHandle;
      expect(sharingOutcome(shared, handle, port)).to.include({
        constant: 'SO_REUSEPORT',
        verdict: 'applied',
        kernel: 1,
      });
      const plain = handles.bind('127.0.0.1', 0) as BoundHandle;
      expect(sharingOutcome(shared, plain, port)).to.deep.include({
        verdict: 'unneeded',
        cause: 'the primary of the cluster accepts for all its workers',
      });
    });

    it('is not reported of a port that is not shared, nor outside of a worker', async () => {
      const port = await freePort();
      const handle = share(port) as BoundHandle;
      expect(sharingOutcome(hookContext({}, linux()), handle, port)).to.equal(undefined);
      module.isWorker = false;
      expect(sharingOutcome(hookContext(SHARED, linux()), handle, port)).to.equal(undefined);
    });
  });
});
