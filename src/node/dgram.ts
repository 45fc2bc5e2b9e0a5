import type { SocketHandle } from './net.js';
import { valueBySymbol } from './symbols.js';

/** A UDP handle (src/udp_wrap.cc). Test: hooks/sockets/datagram. */
export interface DatagramHandle extends SocketHandle {
  /** Node calls it once the socket is bound (lib/dgram.js `startListening`). */
  recvStart(...args: unknown[]): number;
}

/** The handle of a dgram.Socket; undefined of anything else, or if it is not what we know. */
export function datagramHandle(socket: object): DatagramHandle | undefined {
  const state = valueBySymbol(socket, 'state symbol');
  const { handle } = (state ?? {}) as { readonly handle?: Partial<DatagramHandle> | null };
  return typeof handle?.recvStart === 'function' ? (handle as DatagramHandle) : undefined;
}

/** The prototype of all such handles. */
export function datagramPrototype(socket: object): DatagramHandle | undefined {
  const handle = datagramHandle(socket);
  return handle && (Object.getPrototypeOf(handle) as DatagramHandle);
}
