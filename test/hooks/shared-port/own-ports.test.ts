import { expect } from 'chai';
import { addOwnPort, isOwnPort, overlapsOwnPort, removeOwnPort } from '../../../src/hooks/shared-port/own-ports.js';
import type { ListenHandle } from '../../../src/node/net.js';
import { freePort } from '../../support/sockets/free-port.js';
import { useBoundHandles } from './bound-handles.js';

const IPV6_ONLY = 1;

/** Two binds to one port, and whether they overlap. */
const PAIRS: readonly (readonly [
  one: string,
  oneFlags: number,
  other: string,
  otherFlags: number,
  overlap: boolean,
])[] = [
  ['127.0.0.1', 0, '127.0.0.1', 0, true],
  ['127.0.0.1', 0, '127.0.0.2', 0, false],
  ['127.0.0.1', 0, '0.0.0.0', 0, true],
  ['127.0.0.1', 0, '::1', 0, false],
  ['127.0.0.1', 0, '::', 0, true],
  ['127.0.0.1', 0, '::', IPV6_ONLY, false],
  ['0.0.0.0', 0, '0.0.0.0', 0, true],
  ['0.0.0.0', 0, '::1', 0, false],
  ['0.0.0.0', 0, '::', 0, true],
  ['0.0.0.0', 0, '::', IPV6_ONLY, false],
  ['::1', 0, '::1', 0, true],
  ['::1', 0, '::', 0, true],
  ['::1', 0, '::', IPV6_ONLY, true],
  ['::', 0, '::', 0, true],
  ['::', 0, '::', IPV6_ONLY, true],
  ['::', IPV6_ONLY, '::', IPV6_ONLY, true],
];

const describeBind = (address: string, flags: number): string => `${address}${flags === 0 ? '' : ' (ipv6Only)'}`;

describe('own ports', () => {
  const added: ListenHandle[] = [];
  const handles = useBoundHandles();

  afterEach(() => {
    for (const handle of added.splice(0)) removeOwnPort(handle);
  });

  function own(address: string, port: number, flags: unknown = 0, fd = 3): { fd: number } & ListenHandle {
    const handle = {
      fd,
      getsockname(name: object) {
        Object.assign(name, { address, port });
        return 0;
      },
    };
    addOwnPort(handle, flags);
    added.push(handle);
    return handle;
  }

  for (const [one, oneFlags, other, otherFlags, overlap] of PAIRS) {
    const verb = overlap ? 'overlaps' : 'does not overlap';
    it(`${describeBind(one, oneFlags)} ${verb} ${describeBind(other, otherFlags)}, in either order`, () => {
      own(one, 8080, oneFlags);
      own(other, 8081, otherFlags);
      expect(overlapsOwnPort(other, 8080, otherFlags)).to.equal(overlap);
      expect(overlapsOwnPort(one, 8081, oneFlags)).to.equal(overlap);
    });
  }

  it('overlap where the kernel refuses the second of two listeners that share nothing', async function () {
    if (process.platform !== 'linux') this.skip();
    if (handles.bind('::1', 0) === undefined) this.skip();
    for (const [one, oneFlags, other, otherFlags, overlap] of PAIRS) {
      const port = await freePort();
      const first = handles.bind(one, port, oneFlags);
      expect(first?.listen(1)).to.equal(0);
      const second = handles.bind(other, port, otherFlags);
      expect(second === undefined, `${describeBind(one, oneFlags)}, ${describeBind(other, otherFlags)}`).to.equal(
        overlap,
      );
      first?.close();
      second?.close();
    }
  });

  it('do not overlap on different ports', () => {
    own('0.0.0.0', 8080);
    expect(overlapsOwnPort('0.0.0.0', 8081, 0)).to.equal(false);
  });

  it('take a listen() without an address for one on all addresses, of IPv4 too', () => {
    own('127.0.0.1', 8080);
    expect(overlapsOwnPort(null, 8080, undefined)).to.equal(true);
    expect(overlapsOwnPort(undefined, 8080, IPV6_ONLY)).to.equal(false);
  });

  it('take a listener of unknown flags for one without any', () => {
    own('::', 8080, undefined);
    expect(overlapsOwnPort('127.0.0.1', 8080, 0)).to.equal(true);
  });

  it('are free as soon as a listener begins to close', () => {
    const handle = own('127.0.0.1', 8080);
    expect(overlapsOwnPort('127.0.0.1', 8080, 0)).to.equal(true);
    expect(isOwnPort(handle)).to.equal(true);
    removeOwnPort(handle);
    expect(isOwnPort(handle)).to.equal(false);
    expect(overlapsOwnPort('127.0.0.1', 8080, 0)).to.equal(false);
  });

  it('forget a listener whose descriptor is closed, even if its number comes back', () => {
    const handle = own('127.0.0.1', 8080);
    const other = own('127.0.0.2', 8080);
    handle.fd = -1;
    expect(overlapsOwnPort('127.0.0.1', 8080, 0)).to.equal(false);
    handle.fd = 3;
    expect(overlapsOwnPort('127.0.0.1', 8080, 0)).to.equal(false);
    expect(other.fd).to.equal(3);
    expect(overlapsOwnPort('127.0.0.2', 8080, 0)).to.equal(true);
  });
});
