import type { DatagramHandle, Send, SendArguments, SendRequest } from '../../dgram.js';
import { isNodesOwn } from '../../own-source.js';
import { exchange, type Method, mutable, replaceMethod, type Undo, undoAll } from '../replace.js';

/** Methods of a UDP handle that change how datagrams leave, or tell how many wait (src/udp_wrap.cc). A Node may lack some. */
const OTHER_METHODS = [
  ...['close', 'connect', 'connect6', 'disconnect', 'bufferSize', 'getSendQueueSize', 'getSendQueueCount'],
  ...['setBroadcast', 'setTTL', 'setMulticastTTL', 'setMulticastLoopback', 'setMulticastInterface'],
  ...['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership'],
];

/**
 * Handles of IPv6 have copies of such methods as their own (lib/internal/dgram.js `newHandle`). Later handles copy ours; this gives ours to
 * the one that was there before.
 */
const OWN_COPIES = { send: 'send6', connect: 'connect6' } as const;

function ofHandle(handle: DatagramHandle, originals: ReadonlyMap<string, unknown>): Undo {
  const swaps = Object.entries(OWN_COPIES).map(
    ([own, name]) => [own, originals.get(name), Reflect.get(handle, name)] as const,
  );
  for (const [own, original, ours] of swaps) exchange(handle, own, original, ours);
  return () => {
    for (const [own, original, ours] of swaps) exchange(handle, own, ours, original);
  };
}

/**
 * Stand before the sends of all UDP handles, and call `before` ahead of what else matters to them.
 *
 * @param handle one of them
 * @returns an undo; undefined if somebody else has replaced the sends
 */
export function replaceSends(
  handle: DatagramHandle,
  makeSend: (original: Send, isIPv6: boolean) => Send,
  before: () => void,
): Undo | undefined {
  const prototype: DatagramHandle = Object.getPrototypeOf(handle);
  if (!isNodesOwn(prototype.send, 'UDP.send') || !isNodesOwn(prototype.send6, 'UDP.send6')) return undefined;
  const others = OTHER_METHODS.filter((name) => typeof Reflect.get(prototype, name) === 'function');
  const originals = new Map(['send6', ...others].map((name) => [name, Reflect.get(prototype, name)] as const));
  const undos = [
    replaceMethod<Send>(prototype, 'send', (original) => makeSend(original, false)),
    replaceMethod<Send>(prototype, 'send6', (original) => makeSend(original, true)),
    ...others.map((name) =>
      replaceMethod<Method>(
        prototype,
        name,
        (original) =>
          function (...args) {
            before();
            return original.apply(this, args);
          },
      ),
    ),
  ];
  return undoAll([...undos, ofHandle(handle, originals)]);
}

/** The error of a send, as Node makes it (lib/dgram.js `afterSend`). */
export function sendError(request: SendRequest, error: number): unknown {
  let made: unknown;
  const callback = (failure: unknown): void => {
    made = failure;
  };
  const own = { value: callback, configurable: true, enumerable: true, writable: true };
  const standIn: SendRequest = Object.create(request, { callback: own });
  standIn.oncomplete?.(error);
  if (made instanceof Error && typeof made.stack === 'string') made.stack = upToNode(made.stack);
  return made;
}

/** Without frames of ours, which are below that of Node. */
function upToNode(stack: string): string {
  const frame = stack.indexOf('(node:dgram');
  const end = frame < 0 ? -1 : stack.indexOf('\n', frame);
  return end < 0 ? stack : stack.slice(0, end);
}

/** Arguments to send other bytes by a request. It keeps them alive, as libuv may queue them. */
export function withBytes([request, , , ...rest]: SendArguments, bytes: Uint8Array): SendArguments {
  const list = [bytes];
  mutable(request).list = list;
  return [request, list, list.length, ...rest];
}

/**
 * Have a send that libuv has queued call back in the async context of this moment. Node made its resource later than the app has called
 * send(), so it has another context.
 */
export function completeInContext(request: SendRequest): void {
  const { AsyncResource } = process.getBuiltinModule('node:async_hooks');
  const { oncomplete } = request;
  if (oncomplete === undefined) return;
  mutable(request).oncomplete = AsyncResource.bind(oncomplete);
}
