import { once } from 'node:events';
import { createServer } from 'node:net';
import { constants as os } from 'node:os';
import { expect } from 'chai';
import type { SocketConstant } from '../../../src/native/platform.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { handleOf, listenHandleOf, socketPair } from '../../support/sockets/socket-pair.js';

describe('the backlog of a listener', () => {
  const value = new Int32Array(1);

  function backlog(): SocketConstant {
    const constant = linux().constants['listen(2)'];
    if (constant === undefined) throw new Error('Linux has a backlog');
    return constant;
  }

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('is read, and changed by a second listen(2)', async () => {
    const server = createServer().listen(0, '127.0.0.1', 77);
    await once(server, 'listening');
    const handle = listenHandleOf(server);
    expect([linux().get(handle, backlog(), value), value[0]]).to.deep.equal([0, 77]);
    expect(linux().set(handle, backlog(), Int32Array.of(99))).to.equal(0);
    expect([linux().get(handle, backlog(), value), value[0]]).to.deep.equal([0, 99]);
    server.close();
  });

  it('cannot be read from a connection: EOPNOTSUPP', async () => {
    const pair = await socketPair();
    expect(linux().get(handleOf(pair.accepted), backlog(), value)).to.equal(os.errno.EOPNOTSUPP);
    pair.close();
  });

  it('cannot be read from a closed handle: EBADF', () => {
    expect(linux().get({ fd: -1 }, backlog(), value)).to.equal(os.errno.EBADF);
  });
});
