import type { ListenHandle, SocketHandle, SocketName } from './net.js';

/** The port that a listening handle is bound to; a Unix socket has none. */
export function boundPort(handle: ListenHandle): number | undefined {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return name.port;
}

/** Whether a handle is connected to somebody. */
export function hasPeer(handle: SocketHandle): boolean {
  return handle.getpeername?.({}) === 0;
}

/** `127.0.0.1:80`, `[::]:80`. */
export function formatName({ address, port, family }: SocketName): string {
  if (address === undefined) return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The other end of a connection, as an address and a port; of a Unix socket there is none. */
export function peerOf(handle: SocketHandle): string {
  const name: SocketName = {};
  handle.getpeername?.(name);
  return formatName(name);
}

/** This end of a connection, or where a listener is bound, in the same way. */
export function boundAddress(handle: ListenHandle): { readonly address: string; readonly port: number | undefined } {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return { address: formatName(name), port: name.port };
}
