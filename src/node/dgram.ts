import type { SocketHandle } from './net.js';
import { valueBySymbol } from './symbols.js';

/** A UDP handle (src/udp_wrap.cc). Test: hooks/sockets/datagram. */
export interface DatagramHandle extends SocketHandle {
  /** Node calls it once the socket is bound (lib/dgram.js `startListening`). */
  recvStart(...args: unknown[]): number;
  readonly send: Send;
  readonly send6: Send;
  /** Datagrams that libuv has queued because the socket took no more. */
  getSendQueueCount(): number;
}

/**
 * Sends a datagram. Returns its length and 1 if it has left, 0 if libuv has queued it, or libuv's error. Test: hooks/datagrams/batch.
 */
export type Send = (this: DatagramHandle, ...args: SendArguments) => number;

/** lib/dgram.js `doSend`. A socket that is connected has neither port nor address, and tells of a callback in the port's place. */
export type SendArguments = [
  request: SendRequest,
  list: readonly ArrayBufferView[],
  count: number,
  port: number | boolean,
  address?: string,
  hasCallback?: boolean,
];

/** SendWrap, as lib/dgram.js `doSend` fills it. */
export interface SendRequest {
  /** Keeps the parts alive that libuv may have queued. */
  readonly list?: readonly ArrayBufferView[];
  readonly address?: string;
  readonly port?: number;
  readonly callback?: (...args: unknown[]) => unknown;
  /** lib/dgram.js `afterSend`. */
  readonly oncomplete?: (error: number, bytes?: number) => unknown;
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

/** Getters of TypedArray.prototype, which no subclass or own property of an app can replace. */
const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);

function getter(name: PropertyKey): (this: unknown) => unknown {
  return Object.getOwnPropertyDescriptor(typedArray, name)?.get ?? (() => undefined);
}

const kindOf = getter(Symbol.toStringTag);
const byteLengthOf = getter('byteLength');

/** Bytes of a datagram's parts; -1 if one is not a Uint8Array, as a DataView, whose bytes cannot be copied as such. */
export function lengthOf(list: readonly ArrayBufferView[]): number {
  let length = 0;
  for (const part of list) {
    if (kindOf.call(part) !== 'Uint8Array') return -1;
    length += byteLengthOf.call(part) as number;
  }
  return length;
}

/** Copy a datagram's parts, of which {@link lengthOf} has told the length. */
export function copyParts(list: readonly ArrayBufferView[], target: Uint8Array, offset: number): void {
  let at = offset;
  for (const part of list) {
    target.set(part as Uint8Array, at);
    at += byteLengthOf.call(part) as number;
  }
}
