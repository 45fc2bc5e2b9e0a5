import { constants as os } from 'node:os';
import { expect } from 'chai';
import type { Libc } from '../../../src/native/libc.js';
import type { SocketConstant } from '../../../src/native/platform.js';
import { withDeviceIndex } from '../../../src/native/sockets/device-index.js';

const BOUND_IF: SocketConstant = { level: 0, name: 25, byIndex: true, ipv6: { level: 41, name: 125 } };
const OTHER: SocketConstant = { level: 6, name: 1 };
const DEVICES: Readonly<Record<string, number>> = { lo0: 1, en0: 4 };

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes).toString('latin1', 0, end < 0 ? bytes.length : end);
}

/** The calls of net/if.h, for two interfaces. */
const libc: Libc = {
  bind<F extends (...args: never[]) => number>(prototype: string): F {
    const indexOf = (name: Uint8Array): number => DEVICES[text(name)] ?? 0;
    const nameOf = (index: number, name: Uint8Array): number => {
      const found = Object.keys(DEVICES).find((device) => DEVICES[device] === index);
      name.set(Buffer.from(`${found ?? ''}\0`));
      return found === undefined ? 0 : 1;
    };
    return (prototype.includes('if_nametoindex') ? indexOf : nameOf) as unknown as F;
  },
  errno: () => 0,
  address: () => 0n,
};

describe('an interface by its index', () => {
  const set: [number, number, number][] = [];
  let isIPv6 = false;
  const kept = new Int32Array(1);
  const calls = withDeviceIndex(libc, {
    set(_handle, { level, name }, value) {
      if (isIPv6 && level === 0) return os.errno.EINVAL;
      set.push([level, name, value[0] ?? 0]);
      kept[0] = value[0] ?? 0;
      return 0;
    },
    get(_handle, { level }, value) {
      if (isIPv6 && level === 0) return os.errno.EINVAL;
      value[0] = kept[0] ?? 0;
      return 0;
    },
  });

  beforeEach(() => {
    set.length = 0;
    kept[0] = 0;
    isIPv6 = false;
  });

  const read = (): string => {
    const name = Buffer.alloc(16);
    expect(calls.get({ fd: 3 }, BOUND_IF, name)).to.equal(0);
    return text(name);
  };

  it('is set by its name, and read back as that', () => {
    expect(read()).to.equal('');
    expect(calls.set({ fd: 3 }, BOUND_IF, Buffer.from('en0'))).to.equal(0);
    expect(set).to.deep.equal([[0, 25, 4]]);
    expect(read()).to.equal('en0');
  });

  it('is set by the option of IPv6 where the socket refuses the other', () => {
    isIPv6 = true;
    expect(calls.set({ fd: 3 }, BOUND_IF, Buffer.from('lo0'))).to.equal(0);
    expect(set).to.deep.equal([[41, 125, 1]]);
    expect(read()).to.equal('lo0');
  });

  it('that is not there is an error, and nothing is set', () => {
    expect(calls.set({ fd: 3 }, BOUND_IF, Buffer.from('en9'))).to.equal(os.errno.ENXIO);
    expect(set).to.deep.equal([]);
  });

  it('changes nothing of other options', () => {
    expect(calls.set({ fd: 3 }, OTHER, Int32Array.of(7))).to.equal(0);
    expect(set).to.deep.equal([[6, 1, 7]]);
  });
});
