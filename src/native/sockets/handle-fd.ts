import type { SocketHandle } from '../../node/net.js';

/**
 * The descriptor of a handle as it is now, or -1: a handle that is closed, not connected yet, or belongs to another process
 * (a cluster worker's listener) has none. Ask at every use and never keep it; a number that was kept is another file's soon.
 */
export function fdOf(handle: SocketHandle | null | undefined): number {
  const fd = handle?.fd;
  return typeof fd === 'number' ? fd : -1;
}

/** The address family by the class of the handle; undefined for what is neither (a cluster worker's stand-in, TLSWrap). */
export function familyOf(handle: SocketHandle | null | undefined): 'tcp' | 'unix' | undefined {
  const name = handle?.constructor.name;
  if (name === 'TCP') return 'tcp';
  return name === 'Pipe' ? 'unix' : undefined;
}
