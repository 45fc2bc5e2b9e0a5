import { fdOf } from '../../native/sockets/handle-fd.js';
import type { ListenHandle } from '../../node/net.js';

/**
 * The listeners of this thread that share their ports, with the flags of their bind(2). A second listen() in one thread must still fail
 * with EADDRINUSE: by mistake, or in search of a free port.
 */
const ownPorts = new Map<ListenHandle, number>();

/** A flag that Node gives bind(2) (src/tcp_wrap.cc). */
const UV_TCP_IPV6ONLY = 1;

/** An address, and the flags that it is bound with. */
interface FlaggedAddress {
  readonly address: string;
  readonly flags: number;
}

const isIPv6 = ({ address }: FlaggedAddress): boolean => address.includes(':');
const isWildcard = ({ address }: FlaggedAddress): boolean => address === '::' || address === '0.0.0.0';
const isDualStack = ({ address, flags }: FlaggedAddress): boolean =>
  address === '::' && (flags & UV_TCP_IPV6ONLY) === 0;

/** Whether the kernel would refuse the second bind(2) to the same port, if neither were shared. */
function overlaps(one: FlaggedAddress, other: FlaggedAddress): boolean {
  if (isDualStack(one) || isDualStack(other)) return true;
  return isIPv6(one) === isIPv6(other) && (isWildcard(one) || isWildcard(other) || one.address === other.address);
}

/** Add a listener that shares its port. */
export function addOwnPort(handle: ListenHandle, flags: unknown): void {
  ownPorts.set(handle, typeof flags === 'number' ? flags : 0);
}

/** Remove a listener that begins to close: its descriptor may stay open for a while. */
export function removeOwnPort(handle: ListenHandle): void {
  ownPorts.delete(handle);
}

/** Whether a listener is one of these. A listener that a cluster's primary has made is not, in a worker. */
export function isOwnPort(handle: ListenHandle): boolean {
  return ownPorts.has(handle);
}

/** Whether a listener of this thread shares the port already, on an address that overlaps this one. */
export function overlapsOwnPort(address: unknown, port: number, flags: unknown): boolean {
  const wanted = {
    address: typeof address === 'string' ? address : '::',
    flags: typeof flags === 'number' ? flags : 0,
  };
  for (const [handle, ownFlags] of ownPorts) {
    if (fdOf(handle) < 0) {
      ownPorts.delete(handle);
      continue;
    }
    const name: { address?: string; port?: number } = {};
    handle.getsockname?.(name);
    if (name.port === port && overlaps(wanted, { address: name.address ?? '::', flags: ownFlags })) return true;
  }
  return false;
}
