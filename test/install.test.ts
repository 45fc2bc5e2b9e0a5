import net from 'node:net';
import { expect } from 'chai';
import { defaultConfig, lowLatencyConfig } from '../src/config/config.js';
import type { TuneConfig } from '../src/config/tune-config.js';
import { SocketTuneError } from '../src/errors.js';
import { isInstalled } from '../src/first-use.js';
import { install } from '../src/install.js';
import { kernelValue } from './support/sockets/kernel-value.js';
import { listenHandleOf, listening } from './support/sockets/socket-pair.js';
import { differences, snapshot } from './support/test-run/node-prototypes.js';

const EVERYTHING: TuneConfig = { ...defaultConfig(), sendfile: true, splice: 'auto' };

describe('install', () => {
  const uninstalls: (() => void)[] = [];
  const servers: net.Server[] = [];

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  function installed(config: TuneConfig): () => void {
    const uninstall = install(config);
    uninstalls.push(uninstall);
    return uninstall;
  }

  /** The kernel's value on a server that begins to listen now. */
  async function userTimeout(): Promise<number> {
    const server = await listening();
    servers.push(server);
    return kernelValue(listenHandleOf(server), 'TCP_USER_TIMEOUT');
  }

  afterEach(() => {
    for (const uninstall of uninstalls.splice(0).reverse()) uninstall();
    for (const server of servers.splice(0)) server.close();
  });

  it('changes these methods of Node, by replacements that look the same, and nothing else', () => {
    const before = snapshot();
    installed(EVERYTHING);
    const after = snapshot();
    expect(differences(before, after)).to.deep.equal([
      'fs.ReadStream.prototype._construct',
      'fs.ReadStream.prototype._destroy',
      'fs.ReadStream.prototype._read',
      'net.Server',
      'net.Server.prototype._listen2',
      'net.Server.prototype.constructor',
      'net.Socket.prototype._destroy',
      'net.Socket.prototype._read',
      'net.Socket.prototype._unrefTimer',
      'net.Socket.prototype._writeGeneric',
      'net.Socket.prototype.connect',
      'net.Socket.prototype.setKeepAlive',
      'net.Socket.prototype.setNoDelay',
      'net.createServer',
    ]);
    for (const name of differences(before, after)) {
      const [was, is] = [before.get(name), after.get(name)];
      expect({ ...is, value: 0 }, name).to.deep.equal({ ...was, value: 0 });
      expect([is?.value.name, is?.value.length], name).to.deep.equal([was?.value.name, was?.value.length]);
    }
  });

  it('changes fewer methods if the config needs fewer', () => {
    const before = snapshot();
    installed({ sendfile: false, guard: 'off' });
    expect(differences(before, snapshot())).to.deep.equal(['net.Server.prototype._listen2']);
  });

  it('can be undone without a trace, any number of times', () => {
    const before = snapshot();
    for (let round = 0; round < 3; round++) {
      const uninstall = installed(EVERYTHING);
      expect(differences(before, snapshot())).not.to.be.empty;
      uninstall();
      uninstall();
      expect(differences(before, snapshot())).to.deep.equal([]);
    }
  });

  it('tunes every later listener until it is undone', async () => {
    expect(await userTimeout()).to.equal(0);
    const uninstall = installed({ ...lowLatencyConfig(), userTimeout: 30_000 });
    expect(await userTimeout()).to.equal(30_000);
    uninstall();
    expect(await userTimeout()).to.equal(0);
  });

  it('throws while socket-tune is installed, and changes nothing', () => {
    installed({ userTimeout: 5000 });
    const before = snapshot();
    expect(() => install({ userTimeout: 6000 }))
      .to.throw(SocketTuneError, 'installed in this thread already')
      .that.includes({ code: 'ERR_SOCKET_TUNE_INSTALLED' });
    expect(differences(before, snapshot())).to.deep.equal([]);
    expect(isInstalled()).to.equal(true);
  });

  it('is not undone by an uninstall function that was called before', async () => {
    const stale = installed({ userTimeout: 5000 });
    stale();
    installed({ userTimeout: 6000 });
    stale();
    expect(isInstalled()).to.equal(true);
    expect(() => install({})).to.throw(SocketTuneError);
    expect(await userTimeout()).to.equal(6000);
  });

  it('throws for an invalid config, and is then not installed', () => {
    const before = snapshot();
    for (const [config, code] of [
      [undefined, 'ERR_SOCKET_TUNE_INVALID_ARG'],
      [{ speed: 11 }, 'ERR_SOCKET_TUNE_INVALID_ARG'],
      [{ noDelay: 'yes' }, 'ERR_SOCKET_TUNE_INVALID_VALUE'],
      [{ sendfileWindow: 1 }, 'ERR_SOCKET_TUNE_INVALID_VALUE'],
    ] as const) {
      expect(() => Reflect.apply(install, undefined, [config]))
        .to.throw(SocketTuneError)
        .that.includes({ code });
    }
    expect(isInstalled()).to.equal(false);
    expect(differences(before, snapshot())).to.deep.equal([]);
  });

  it('copies the config, so that later changes of the object have no effect', async () => {
    const config: { userTimeout: number } = { userTimeout: 5000 };
    installed(config);
    config.userTimeout = 6000;
    expect(await userTimeout()).to.equal(5000);
  });

  it('writes the report of the config when the process ends, unless it is undone before', () => {
    const before = process.listenerCount('exit');
    installed({})();
    expect(process.listenerCount('exit')).to.equal(before);
    const uninstall = installed({ report: 'exit' });
    expect(process.listenerCount('exit')).to.equal(before + 1);
    uninstall();
    expect(process.listenerCount('exit')).to.equal(before);
  });

  it('leaves wrappers of others in place, with replacements below them that do nothing', () => {
    const { prototype } = net.Socket;
    const own = Object.getOwnPropertyDescriptor(prototype, 'setNoDelay')!;
    const uninstall = installed(EVERYTHING);
    const ours = prototype.setNoDelay;
    const theirs: typeof ours = function (this: net.Socket, enable) {
      return ours.call(this, enable);
    };
    prototype.setNoDelay = theirs;
    try {
      uninstall();
      expect(prototype.setNoDelay).to.equal(theirs);
      expect(isInstalled()).to.equal(false);
    } finally {
      Object.defineProperty(prototype, 'setNoDelay', own);
    }
  });
});
