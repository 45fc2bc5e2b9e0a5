import type { Server } from 'node:net';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { appChoiceHook } from '../../../src/hooks/sockets/app-choice.js';
import type { OptionValues } from '../../../src/options/table.js';
import { hookContext } from '../../support/hook-context.js';
import { kernelValue, linux } from '../../support/sockets/kernel-value.js';
import { connection, handleOf, listening, type SocketPair } from '../../support/sockets/socket-pair.js';
import { useInstalled } from '../../support/test-run/installed.js';

const VALUES: OptionValues = {
  noDelay: true,
  keepAlive: true,
  keepAliveIdle: 77,
  keepAliveInterval: 11,
  keepAliveCount: 4,
};

describe('what an app says about a socket', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  describe('that socket-tune has tuned', () => {
    useInstalled(VALUES);
    let server: Server;
    let pair: SocketPair;

    beforeEach(async () => {
      server = await listening();
      pair = await connection(server);
    });

    afterEach(() => {
      pair.close();
      server.close();
    });

    const noDelay = (): number => kernelValue(handleOf(pair.accepted), 'TCP_NODELAY');
    const keepAlive = (): number[] => {
      const handle = handleOf(pair.accepted);
      return [
        kernelValue(handle, 'SO_KEEPALIVE'),
        kernelValue(handle, 'TCP_KEEPIDLE'),
        kernelValue(handle, 'TCP_KEEPINTVL'),
        kernelValue(handle, 'TCP_KEEPCNT'),
      ];
    };

    it('wins when it wants Nagle’s algorithm', () => {
      expect(noDelay()).to.equal(1);
      expect(pair.accepted.setNoDelay(false)).to.equal(pair.accepted);
      expect(noDelay()).to.equal(0);
    });

    it('wins in whatever words it wants it', async () => {
      for (const word of [0, null, '']) {
        pair.close();
        pair = await connection(server);
        expect(noDelay()).to.equal(1);
        // To Node, all but undefined counts as it does in an `if`.
        Reflect.apply(pair.accepted.setNoDelay, pair.accepted, [word]);
        expect(noDelay(), String(word)).to.equal(0);
      }
    });

    it('keeps what we would have set as well', () => {
      pair.accepted.setNoDelay();
      expect(noDelay()).to.equal(1);
      pair.accepted.setNoDelay(true);
      expect(noDelay()).to.equal(1);
    });

    it('wins again when it changes its mind', () => {
      pair.accepted.setNoDelay(false);
      pair.accepted.setNoDelay(true);
      expect(noDelay()).to.equal(1);
      pair.accepted.setNoDelay(false);
      expect(noDelay()).to.equal(0);
    });

    it('wins when it wants no keepalive', () => {
      expect(keepAlive()).to.deep.equal([1, 77, 11, 4]);
      expect(pair.accepted.setKeepAlive(false)).to.equal(pair.accepted);
      expect(keepAlive()[0]).to.equal(0);
    });

    it('wins when it says setKeepAlive() without a word more, which is off', () => {
      expect(keepAlive()[0]).to.equal(1);
      pair.accepted.setKeepAlive();
      expect(keepAlive()[0]).to.equal(0);
    });

    it('wins as to the delay of keepalive, and leaves us the interval and the count', () => {
      expect(keepAlive()).to.deep.equal([1, 77, 11, 4]);
      pair.accepted.setKeepAlive(true, 60_000);
      expect(keepAlive()).to.deep.equal([1, 60, 11, 4]);
    });

    it('does not throw once the socket is closed', () => {
      pair.accepted.destroy();
      expect(pair.accepted.setNoDelay(false)).to.equal(pair.accepted);
      expect(pair.accepted.setKeepAlive(false)).to.equal(pair.accepted);
    });
  });

  it('is listened to only for what is set', () => {
    const methods = () => [Socket.prototype.setNoDelay, Socket.prototype.setKeepAlive];
    const before = methods();
    const changed = (values: OptionValues): boolean[] => {
      const undo = appChoiceHook.install(hookContext(values, linux()));
      const now = methods().map((method, index) => method !== before[index]);
      undo?.();
      expect(methods()).to.deep.equal(before);
      return now;
    };
    expect(changed({})).to.deep.equal([false, false]);
    expect(changed({ noDelay: true })).to.deep.equal([true, false]);
    expect(changed({ keepAlive: true })).to.deep.equal([false, true]);
    expect(changed({ noDelay: false, keepAlive: false })).to.deep.equal([false, false]);
  });

  it('goes to Node alone where the hook is undone and others have wrapped it since', async () => {
    const own = Object.getOwnPropertyDescriptor(Socket.prototype, 'setNoDelay')!;
    const undo = appChoiceHook.install(hookContext({ noDelay: true }, linux()));
    const ours = Socket.prototype.setNoDelay;
    Socket.prototype.setNoDelay = function (enable) {
      return ours.call(this, enable);
    };
    undo?.();
    const handled: unknown[] = [];
    const socket = new Socket();
    Reflect.set(socket, '_handle', { setNoDelay: (enable: boolean) => handled.push(enable) });
    try {
      socket.setNoDelay(false);
      expect(handled).to.deep.equal([]);
      ours.call(socket, true);
      expect(handled).to.deep.equal([true]);
    } finally {
      Reflect.set(socket, '_handle', null);
      Object.defineProperty(Socket.prototype, 'setNoDelay', own);
    }
  });
});
