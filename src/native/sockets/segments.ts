import { isLittleEndian } from '../endianness.js';
import { ERRNO } from '../errno.js';
import type { Libc } from '../libc.js';
import type { SegmentCalls } from '../platform.js';

/** include/linux/socket.h */
const AF_INET = 2;
const AF_INET6 = 10;

/** include/uapi/linux/udp.h: UDP_SEGMENT of level IPPROTO_UDP, since kernel 4.18. */
const IPPROTO_UDP = 17;
const UDP_SEGMENT = 103;

/** UDP_MAX_SEGMENTS of include/linux/udp.h: 128 since kernel 6.9, and 64 before. */
const MOST_SEGMENTS = 64;

/** What one packet of IPv4 can carry. IPv6 has room for as much. */
const MOST_BYTES = 65_507;

/**
 * What sendmsg(2) is given, in one block of memory: struct msghdr of 64-bit systems, one iovec, one cmsghdr with its number, and a
 * sockaddr_in or sockaddr_in6. Offsets in bytes. The lengths of musl are ints with padding, so that they read the same.
 */
const NAME = 0;
const NAME_LENGTH = 8;
const PARTS = 16;
const PART_COUNT = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const PART = 56;
const CMSG = 72;
const CMSG_DATA = 88;
const ADDRESS = 96;
const BLOCK_BYTES = 128;

/** CMSG_LEN and CMSG_SPACE of two bytes. */
const CMSG_BYTES = 18;
const CMSG_SPACE = 24;

/** sizeof: struct sockaddr_in, struct sockaddr_in6; and where their addresses are. */
const IPV4_BYTES = 16;
const IPV4_AT = 4;
const IPV6_BYTES = 28;
const IPV6_AT = 8;

/** Destinations to remember. A server with more of them than that begins anew. */
const MOST_ADDRESSES = 1024;

type InetPton = (family: number, text: string, address: Uint8Array) => number;

/** The socket addresses of texts, without their ports. inet_pton(3) takes what uv_inet_pton() takes, without a zone. */
function addressReader(libc: Libc): (text: string, isIPv6: boolean) => Uint8Array | undefined {
  const inetPton = libc.bind<InetPton>('int inet_pton(int family, const char *text, void *address)');
  const known = { 4: new Map<string, Uint8Array>(), 6: new Map<string, Uint8Array>() } as const;
  const read = (text: string, isIPv6: boolean): Uint8Array | undefined => {
    const bytes = new Uint8Array(isIPv6 ? IPV6_BYTES : IPV4_BYTES);
    const family = isIPv6 ? AF_INET6 : AF_INET;
    new DataView(bytes.buffer).setUint16(0, family, isLittleEndian);
    return inetPton(family, text, bytes.subarray(isIPv6 ? IPV6_AT : IPV4_AT)) === 1 ? bytes : undefined;
  };
  return (text, isIPv6) => {
    const addresses = known[isIPv6 ? 6 : 4];
    const seen = addresses.get(text);
    if (seen !== undefined) return seen;
    const bytes = read(text, isIPv6);
    if (bytes === undefined) return undefined;
    if (addresses.size >= MOST_ADDRESSES) addresses.clear();
    addresses.set(text, bytes);
    return bytes;
  };
}

/** Datagrams of one size that leave by one sendmsg(2), which the kernel or the network card takes apart: UDP_SEGMENT of udp(7). */
export function segmentCalls(libc: Libc): SegmentCalls {
  const sendmsg = libc.bind<(fd: number, message: Buffer, flags: number) => number>(
    'long sendmsg(int fd, void *message, int flags)',
  );
  // Filled with zeros, so that no bug of ours can send old memory.
  const staging = Buffer.alloc(MOST_BYTES);
  const block = Buffer.alloc(BLOCK_BYTES);
  const longs = new BigUint64Array(block.buffer, block.byteOffset, BLOCK_BYTES / 8);
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
  const setLong = (at: number, value: bigint): void => view.setBigUint64(at, value, isLittleEndian);
  const setInt = (at: number, value: number): void => view.setUint32(at, value, isLittleEndian);
  // The kernel has only addresses. `staging` and `block` live as long as this function's result.
  const start = libc.address(block);
  setLong(PARTS, start + BigInt(PART));
  setLong(PART_COUNT, 1n);
  setLong(CONTROL, start + BigInt(CMSG));
  setLong(CONTROL_LENGTH, BigInt(CMSG_SPACE));
  setLong(PART, libc.address(staging));
  setLong(CMSG, BigInt(CMSG_BYTES));
  setInt(CMSG + 8, IPPROTO_UDP);
  setInt(CMSG + 12, UDP_SEGMENT);
  const name = start + BigInt(ADDRESS);
  return {
    staging,
    most: MOST_SEGMENTS,
    addressOf: addressReader(libc),
    sendSegments(fd, bytes, segment, port, address) {
      longs[NAME / 8] = address === undefined ? 0n : name;
      setInt(NAME_LENGTH, address?.length ?? 0);
      if (address !== undefined) {
        block.set(address, ADDRESS);
        view.setUint16(ADDRESS + 2, port);
      }
      longs[PART / 8 + 1] = BigInt(bytes);
      view.setUint16(CMSG_DATA, segment, isLittleEndian);
      for (;;) {
        if (sendmsg(fd, block, 0) >= 0) return 0;
        const errno = libc.errno();
        if (errno !== ERRNO.EINTR) return errno;
      }
    },
  };
}
