import type { ListenHandle, SocketHandle, SocketName } from './net.js';

/** The port that a listening handle is bound to; undefined for a Unix socket. */
export function boundPort(handle: ListenHandle): number | undefined {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return name.port;
}

/** Whether a handle is connected. */
export function hasPeer(handle: SocketHandle): boolean {
  return handle.getpeername?.({}) === 0;
}

/** `127.0.0.1:80`, `[::]:80`. */
export function formatName({ address, port, family }: SocketName): string {
  if (address === undefined) return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The other end of a connection, see {@link formatName}. */
export function peerOf(handle: SocketHandle): string {
  const name: SocketName = {};
  handle.getpeername?.(name);
  return formatName(name);
}

/** This end of a connection, or the address of a listener; `port` is undefined for a Unix socket. */
export function boundAddress(handle: ListenHandle): { readonly address: string; readonly port: number | undefined } {
  const name: SocketName = {};
  handle.getsockname?.(name);
  return { address: formatName(name), port: name.port };
}
