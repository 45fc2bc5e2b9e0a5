import { expect } from 'chai';
import { lookAtAcceptQueues } from '../../../src/cli/doctor/accept-queues.js';
import type { CheckResult } from '../../../src/cli/doctor/check.js';
import type { Machine } from '../../../src/cli/doctor/machine.js';
import { configFromEnvironment } from '../../../src/config/config.js';
import type { PortSocket } from '../../../src/native/ports/port-socket.js';
import { fakePlatform } from '../../support/fake-platform.js';

function listener(port: number, queued: number, backlog: number): PortSocket {
  return { state: 'LISTEN', family: 4, port, address: '00000000', peer: '', queued, backlog, uid: 0, inode: port };
}

/** What doctor says of these listeners, where the system's limit is 4096. */
function look(sockets: readonly PortSocket[] | undefined, overflows: number | undefined): CheckResult {
  const machine: Machine = {
    sysctl: () => ['4096'],
    kernel: undefined,
    openFiles: undefined,
    counter: () => overflows,
    isContainer: false,
    hasModule: () => undefined,
    socketOwners: () => new Map(),
  };
  const { ports } = fakePlatform();
  if (ports === undefined) throw new Error('the fake platform has no ports');
  return lookAtAcceptQueues({
    machine,
    environment: configFromEnvironment(new Map()),
    platform: fakePlatform({ ports: { ...ports, sockets: () => sockets } }),
    node: process.versions.node,
    variable: () => undefined,
    manifest: undefined,
  });
}

describe('what doctor says of accept queues', () => {
  it('is how often one was full', () => {
    expect(look([listener(80, 3, 511)], 0)).to.deep.equal({
      value: '0 overflows, 0 drops since the network namespace began',
      verdict: 'ok',
    });
    expect(look(undefined, 5)).to.deep.equal({
      value: '5 overflows, 5 drops since the network namespace began',
      verdict: 'advice',
    });
    expect(look([], undefined)).to.include({ verdict: 'unknown' });
  });

  it('is which is full now, and what raises its limit', () => {
    expect(look([listener(80, 512, 511), listener(81, 511, 511)], 5)).to.deep.equal({
      value: '5 overflows, 5 drops since the network namespace began; port 80 is full: 512 wait, its limit is 511',
      verdict: 'advice',
      mend: 'SOCKET_TUNE_BACKLOG=1022',
    });
    expect(look([listener(80, 4097, 4096)], 5)).to.include({ mend: 'sysctl -w net.core.somaxconn=8192' });
  });
});
