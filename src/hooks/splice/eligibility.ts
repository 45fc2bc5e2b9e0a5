import { net } from '../../node/modules.js';
import { hasOwnBuffer, type NetSocket } from '../../node/net.js';
import { isNodesOwn } from '../../node/own-source.js';
import { onlyListener } from '../../node/streams.js';
import {
  type EligibilityContext,
  ENCRYPTED,
  type Reason as FileReason,
  whyNotHandle,
  whyNotSocket,
} from '../files/eligibility.js';

/** Why a pair of sockets is left to Node. Each reason is counted and shown by the report. */
export type Reason =
  | FileReason
  | 'own-buffer'
  | 'flow-is-watched'
  | 'unreferenced'
  | 'no-native-calls'
  | `${'refused' | 'no-kernel-pipe'}:${string}`;

function isPlainSocket(value: unknown): value is NetSocket {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === net().Socket.prototype;
}

/** Events that tell of single chunks. A listener of anybody's but Node's pipe would hear fewer of them. */
function isFlowWatched(source: NetSocket, sink: NetSocket): boolean {
  if (source.listenerCount('pause') > 0 || source.listenerCount('resume') > 0) return true;
  const drains = sink.listenerCount('drain');
  return drains > 0 && !isNodesOwn(onlyListener(sink, 'drain'), 'Readable.pipe/ondrain');
}

/** Whether somebody besides the one pipe sees or changes what a socket reads. */
function whyNotConsumer(source: NetSocket): Reason | undefined {
  const state = source._readableState;
  if (state.pipes.length !== 1) return 'no-single-pipe';
  if (state.objectMode || (state.decoder !== null && state.decoder !== undefined)) return 'encoding-or-object-mode';
  if (state.readableListening || !isNodesOwn(onlyListener(source, 'data'), 'Readable.pipe/ondata'))
    return 'other-consumer';
  return undefined;
}

function whyNotSource(context: EligibilityContext, source: NetSocket): Reason | undefined {
  const { _handle: handle } = source;
  if (!isPlainSocket(source)) return ENCRYPTED;
  if (source._isStdio === true) return 'stdio';
  if (hasOwnBuffer(source)) return 'own-buffer';
  if (!isNodesOwn(source._read, 'Socket._read') || !isNodesOwn(source._unrefTimer, 'Socket._unrefTimer'))
    return 'patched-socket';
  // The pipe would call them around a full sink.
  if (
    !isNodesOwn(source.read, 'Socket.read') ||
    !isNodesOwn(source.pause, 'Socket.pause') ||
    !isNodesOwn(source.resume, 'Socket.resume')
  )
    return 'patched-socket';
  if (!isNodesOwn(source.push, 'Readable.push') || !isNodesOwn(source.emit, 'EventEmitter.emit'))
    return 'patched-stream';
  if (!isNodesOwn(handle?.onread, 'onStreamRead')) return 'patched-socket';
  // Between its turns nothing but our immediate would keep the process alive.
  if (handle?.hasRef?.() !== true) return 'unreferenced';
  return whyNotHandle(context, handle);
}

/** The socket that a socket is piped to, if bytes may go there past JavaScript, or the reason why they may not. */
export function sinkOf(context: EligibilityContext, source: NetSocket): NetSocket | Reason {
  const reason = whyNotConsumer(source) ?? whyNotSource(context, source);
  if (reason !== undefined) return reason;
  const sink: unknown = source._readableState.pipes[0];
  if (!isPlainSocket(sink)) return isSocket(sink) ? ENCRYPTED : 'not-a-socket';
  const barred = whyNotSocket(context, sink);
  if (barred !== undefined) return barred;
  return isFlowWatched(source, sink) ? 'flow-is-watched' : sink;
}

function isSocket(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_handle' in value && '_writeGeneric' in value;
}

/** Whether nothing is on its way to the sink in JavaScript or libuv: what comes next may go past them. */
export function isIdle(sink: NetSocket): boolean {
  return sink.writableLength === 0 && sink.writableCorked === 0 && (sink._handle?.writeQueueSize ?? 1) === 0;
}

/** Whether a socket's next bytes would go to its pipe at once, and nothing that it has read waits to go there. */
export function isFlowing({ _readableState: state }: NetSocket): boolean {
  return state.flowing === true && state.length === 0 && !state.ended && state.errored === null;
}

/**
 * Whether the pipe is bound to wait for the sink's 'drain', and then to want more: it waits already, or has chunks enough to be told to. Until
 * then nobody takes what is read.
 */
export function waitsForDrain({ _readableState: state }: NetSocket, sink: NetSocket): boolean {
  if (state.flowing === false) return sink.writableNeedDrain;
  return state.length >= sink.writableHighWaterMark;
}
