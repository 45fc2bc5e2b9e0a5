import type { SocketHandle } from '../../node/net.js';
import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { Platform } from '../platform.js';

type OptionCalls = Pick<Platform, 'set' | 'get'>;

/** IFNAMSIZ of net/if.h. */
const NAME_BYTES = 16;

/**
 * The same calls, with names of network interfaces for options that take their index. Of a constant with a form for IPv6, that one is
 * tried where the socket refuses the other. Expected error: ENXIO (no such interface).
 */
export function withDeviceIndex(libc: Libc, { set, get }: OptionCalls): OptionCalls {
  let indexOf: ((name: Uint8Array) => number) | undefined;
  let nameOf: ((index: number, name: Uint8Array) => number) | undefined;
  const index = new Int32Array(1);
  const named = Buffer.alloc(NAME_BYTES);
  type Call = OptionCalls['set' | 'get'];
  const call = (act: Call, handle: SocketHandle, { ipv6, ...constant }: Parameters<Call>[1]): number => {
    const errno = act(handle, constant, index);
    return errno === 0 || ipv6 === undefined ? errno : act(handle, ipv6, index);
  };
  return {
    set(handle, constant, value) {
      if (!constant.byIndex) return set(handle, constant, value);
      indexOf ??= libc.bind<(name: Uint8Array) => number>('unsigned int if_nametoindex(const void *name)');
      named.fill(0);
      named.set(value.subarray(0, NAME_BYTES - 1));
      index[0] = indexOf(named);
      return index[0] === 0 ? ERRNO.ENXIO : call(set, handle, constant);
    },
    get(handle, constant, value) {
      if (!constant.byIndex) return get(handle, constant, value);
      nameOf ??= libc.bind<(index: number, name: Uint8Array) => number>(
        'intptr_t if_indextoname(unsigned int index, void *name)',
      );
      const errno = call(get, handle, constant);
      if (errno !== 0) return errno;
      named.fill(0);
      if (index[0] !== 0 && nameOf(index[0] ?? 0, named) === 0) return ERRNO.ENXIO;
      value.set(named.subarray(0, value.byteLength));
      return 0;
    },
  };
}
