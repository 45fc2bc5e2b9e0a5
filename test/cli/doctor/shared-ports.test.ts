import { expect } from 'chai';
import type { Circumstances } from '../../../src/cli/doctor/check.js';
import type { Machine } from '../../../src/cli/doctor/machine.js';
import { lookAtSharedPorts } from '../../../src/cli/doctor/shared-ports.js';
import { configFromEnvironment } from '../../../src/config/config.js';
import type { PortSocket } from '../../../src/native/ports/port-socket.js';
import { fakePlatform } from '../../support/fake-platform.js';

function listener(inode: number, port = 8080, queued = 0): PortSocket {
  return { state: 'LISTEN', family: 4, port, address: '00000000', peer: '', queued, backlog: 511, uid: 0, inode };
}

function connections(count: number, first: number): PortSocket[] {
  return Array.from({ length: count }, (_, index) => ({ ...listener(first + index), state: 'ESTAB' as const }));
}

function look(sockets: readonly PortSocket[] | undefined, ownerOf: (inode: number) => number | undefined) {
  const owners = new Map<number, number>();
  for (const { inode } of sockets ?? []) {
    const pid = ownerOf(inode);
    if (pid !== undefined) owners.set(inode, pid);
  }
  const machine: Machine = {
    sysctl: () => undefined,
    kernel: undefined,
    openFiles: undefined,
    counter: () => undefined,
    isContainer: false,
    hasModule: () => undefined,
    socketOwners: () => owners,
  };
  const { ports } = fakePlatform();
  if (ports === undefined) throw new Error('the fake platform has no ports');
  const circumstances: Circumstances = {
    machine,
    environment: configFromEnvironment(new Map()),
    platform: fakePlatform({ ports: { ...ports, sockets: () => sockets } }),
    node: process.versions.node,
    variable: () => undefined,
    manifest: undefined,
  };
  return lookAtSharedPorts(circumstances);
}

describe('what doctor says of shared ports', () => {
  it('is nothing where each listener has its port for itself', () => {
    const other: PortSocket = { ...listener(3), address: '7f000001' };
    expect(look([listener(1), listener(2, 8081), other], () => 1)).to.deep.equal({ value: 'none', verdict: 'ok' });
  });

  it('is how many listeners there are, and who has how many connections', () => {
    const sockets = [listener(1), listener(2), ...connections(30, 100), ...connections(20, 200)];
    expect(look(sockets, (inode) => (inode >= 200 ? 12 : 11))).to.deep.equal({
      value: 'port 8080: 2 listeners, open connections: process 11 30, process 12 20, imbalance 1.20',
      verdict: 'ok',
    });
  });

  it('is an advice where one process has far more than the others', () => {
    const sockets = [listener(1), listener(2), ...connections(50, 100), ...connections(5, 200)];
    const finding = look(sockets, (inode) => (inode >= 200 ? 12 : 11));
    expect(finding).to.deep.equal({
      value: 'port 8080: 2 listeners, open connections: process 11 50, process 12 5, imbalance 1.82',
      verdict: 'advice',
    });
  });

  it('has no judgement of a few connections, tells what waits, and names who is not known', () => {
    expect(
      look([listener(1, 80, 3), listener(2, 80, 1), { ...listener(9, 80), state: 'ESTAB' }], () => undefined),
    ).to.deep.equal({
      value: 'port 80: 2 listeners, open connections: others 1, 4 wait to be accepted',
      verdict: 'ok',
    });
  });

  it('is that the system does not tell', () => {
    expect(look(undefined, () => undefined).verdict).to.equal('unknown');
  });
});
