import type { SocketHandle } from '../../node/net.js';

/**
 * Descriptor of a handle, or -1 if it has none: it is closed, not connected yet, or of another process (a cluster worker's listener).
 * Ask at every use and never keep the number: after a close it soon belongs to another file.
 */
export function fdOf(handle: SocketHandle | null | undefined): number {
  const fd = handle?.fd;
  return typeof fd === 'number' ? fd : -1;
}

/** Address family, by the class of the handle. Undefined for others: TLSWrap, the fake handle of a cluster worker. */
export function familyOf(handle: SocketHandle | null | undefined): 'tcp' | 'unix' | undefined {
  const name = handle?.constructor.name;
  if (name === 'TCP') return 'tcp';
  return name === 'Pipe' ? 'unix' : undefined;
}
