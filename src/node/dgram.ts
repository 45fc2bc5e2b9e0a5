import type { SocketHandle } from './net.js';

/** A UDP handle (src/udp_wrap.cc). Test: hooks/datagram. */
export interface DatagramHandle extends SocketHandle {
  /** Called once the socket is bound (lib/dgram.js `startListening`). */
  recvStart(...args: unknown[]): number;
}

/** lib/internal/dgram.js `kStateSymbol`. */
let datagramState: symbol | undefined;

/** The handle of a dgram.Socket, if it looks as we know it. */
export function datagramHandle(socket: object): DatagramHandle | undefined {
  datagramState ??= Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  const state: unknown = datagramState === undefined ? undefined : Reflect.get(socket, datagramState);
  const { handle } = (state ?? {}) as { readonly handle?: Partial<DatagramHandle> | null };
  return typeof handle?.recvStart === 'function' ? (handle as DatagramHandle) : undefined;
}

/** The prototype of such a handle, by which all are patched. */
export function datagramPrototype(socket: object): DatagramHandle | undefined {
  const handle = datagramHandle(socket);
  return handle && (Object.getPrototypeOf(handle) as DatagramHandle);
}
