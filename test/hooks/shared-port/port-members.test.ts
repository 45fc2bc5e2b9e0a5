import { fstatSync } from 'node:fs';
import { expect } from 'chai';
import { portMembers } from '../../../src/hooks/shared-port/port-members.js';
import type { PortSocket } from '../../../src/native/ports/port-socket.js';
import type { BoundHandle } from '../../../src/node/net.js';
import { fakePlatform } from '../../support/fake-platform.js';
import { withPorts } from '../../support/ports.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { useBoundHandles } from './bound-handles.js';

describe('the listeners that share a port', () => {
  const handles = useBoundHandles();
  let handle: BoundHandle;
  let mine: PortSocket;

  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  beforeEach(() => {
    handle = handles.bind('127.0.0.1', 0) as BoundHandle;
    mine = {
      state: 'LISTEN',
      family: 4,
      address: '0100007f',
      port: 8080,
      peer: '',
      queued: 0,
      backlog: 1,
      uid: 0,
      inode: fstatSync(handle.fd ?? -1).ino,
    };
  });

  /** @param others besides the one that is asked for */
  function members(...others: readonly Partial<PortSocket>[]): readonly number[] | undefined {
    const sockets = [...others.map((other, index) => ({ ...mine, inode: -index, ...other })), mine];
    const platform = withPorts(fakePlatform(), {
      sockets(port, ...states) {
        expect([port, states]).to.deep.equal([8080, ['LISTEN']]);
        return sockets;
      },
    });
    return portMembers(platform, handle, 8080)?.map((each) => sockets.indexOf(each));
  }

  it('are those on the same address, of whatever process, and the one that is asked for', () => {
    expect(members()).to.deep.equal([0]);
    expect(members({ uid: 1 }, { address: '00000000' }, {}, { family: 6 })).to.deep.equal([0, 2, 4]);
  });

  it('are not known if the one that is asked for is not among them, or closed', () => {
    mine = { ...mine, inode: -99 };
    expect(members({})).to.equal(undefined);
    expect(portMembers(withPorts(fakePlatform(), { sockets: () => [mine] }), { fd: -1 }, 8080)).to.equal(undefined);
  });

  it('are not known where the system does not tell', () => {
    expect(portMembers(withPorts(fakePlatform(), { sockets: () => undefined }), handle, 8080)).to.equal(undefined);
    expect(portMembers(fakePlatform({ ports: undefined }), handle, 8080)).to.equal(undefined);
  });

  it('are found on the running kernel', function () {
    if (process.platform !== 'linux') this.skip();
    expect(handle.listen(5)).to.equal(0);
    const name: { port?: number } = {};
    handle.getsockname?.(name);
    const found = portMembers(linux(), handle, name.port ?? 0);
    expect(found?.map(({ inode, backlog }) => ({ inode, backlog }))).to.deep.equal([{ inode: mine.inode, backlog: 5 }]);
  });
});
