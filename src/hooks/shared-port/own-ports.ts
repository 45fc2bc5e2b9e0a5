import { fdOf } from '../../native/sockets/handle-fd.js';
import type { ListenHandle } from '../../node/net.js';

/**
 * What this thread listens on and shares with others. It does not share it with itself: who listens twice on one port by mistake, or
 * looks for a free one, is to be told so.
 */
const held = new Map<ListenHandle, number>();

/** Of the flags that Node gives bind (src/tcp_wrap.cc). */
const UV_TCP_IPV6ONLY = 1;

interface Place {
  readonly address: string;
  readonly flags: number;
}

const isIPv6 = ({ address }: Place): boolean => address.includes(':');
const isAny = ({ address }: Place): boolean => address === '::' || address === '0.0.0.0';
const isAnyOfBoth = (place: Place): boolean => place.address === '::' && (place.flags & UV_TCP_IPV6ONLY) === 0;

function overlap(one: Place, other: Place): boolean {
  if (isAnyOfBoth(one) || isAnyOfBoth(other)) return true;
  return isIPv6(one) === isIPv6(other) && (isAny(one) || isAny(other) || one.address === other.address);
}

/** A listener that shares its port is there. */
export function holdPort(handle: ListenHandle, flags: unknown): void {
  held.set(handle, typeof flags === 'number' ? flags : 0);
}

/** A listener is being closed, which may take a while. */
export function releasePort(handle: ListenHandle): void {
  held.delete(handle);
}

/** Whether this thread has a listener already that shares a port, and where another one would be in its way. */
export function holdsPort(address: unknown, port: number, flags: unknown): boolean {
  const wanted = {
    address: typeof address === 'string' ? address : '::',
    flags: typeof flags === 'number' ? flags : 0,
  };
  for (const [handle, itsFlags] of held) {
    if (fdOf(handle) < 0) {
      held.delete(handle);
      continue;
    }
    const name: { address?: string; port?: number } = {};
    handle.getsockname?.(name);
    if (name.port === port && overlap(wanted, { address: name.address ?? '::', flags: itsFlags })) return true;
  }
  return false;
}
