import type nodeCluster from 'node:cluster';
import type { Socket } from 'node:net';
import { moduleLoadList, PRIMARY_MODULE } from './modules.js';
import type { SocketHandle } from './net.js';
import { valueBySymbol } from './symbols.js';

/** A message between a cluster's worker and its primary (lib/internal/cluster/child.js `_getServer`). Test: register/cluster. */
export interface ClusterMessage {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
  readonly key?: unknown;
  readonly accepted?: unknown;
  readonly index?: unknown;
  readonly data?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly addressType?: unknown;
  readonly fd?: unknown;
  readonly flags?: unknown;
  readonly backlog?: unknown;
}

/** The listener that a server in a worker wants (lib/net.js `listenInCluster`). */
export interface ServerQuery {
  readonly address: string | null;
  readonly port: number;
  readonly addressType: number | string;
  readonly fd?: number;
  readonly flags?: number;
}

/** The message that brings a handle by IPC (lib/internal/child_process.js `handleConversion`). Test: register/handed/handed-over. */
export interface HandleMessage {
  readonly cmd?: unknown;
  /** The kind of object that was sent: `net.Socket`, or `net.Native` for a bare handle. */
  readonly type?: unknown;
  /** The message that the handle was sent with. Node's own have a `cmd` that begins with `NODE_`. */
  readonly msg?: unknown;
  /** `_connectionKey` of the server that has accepted the socket. */
  readonly key?: unknown;
}

export type GetServer = (
  this: unknown,
  server: object,
  query: ServerQuery,
  callback: (error: number, handle: unknown) => void,
) => unknown;

export type Fork = (this: unknown, env?: object) => ClusterWorker;

/** lib/internal/cluster/{primary,child}.js. */
export type ClusterModule = typeof nodeCluster & {
  readonly _getServer?: GetServer;
};

export type ClusterWorker = import('node:cluster').Worker;

/** Send a worker a message of Node's own kind, with a handle. */
export function sendHandle(
  worker: ClusterWorker,
  message: ClusterMessage & { readonly errno?: number },
  handle: SocketHandle,
  onSent: (error: Error | null) => void,
): void {
  worker.process.send({ ...message, cmd: 'NODE_CLUSTER' }, handle as unknown as Socket, undefined, onSent);
}

/** Send the primary of the cluster a message of ours. Returns whether the channel is open. */
export function sendToPrimary(act: string, address: string, data: number): boolean {
  if (!process.connected) return false;
  // The callback takes the error of a primary that has just ended.
  return process.send?.({ cmd: 'NODE_CLUSTER', act, address, data }, undefined, undefined, () => undefined) ?? false;
}

/** Send a worker of this cluster a message of ours. A worker without us ignores it. */
export function sendToWorker(worker: ClusterWorker, act: string, data: number): void {
  if (!worker.isConnected()) return;
  // The callback takes the error of a worker that has just ended.
  worker.process.send({ cmd: 'NODE_CLUSTER', act, data }, undefined, undefined, () => undefined);
}

/** The workers of this process; none where it is not the primary of a cluster, without loading node:cluster. */
export function ownWorkers(): readonly ClusterWorker[] {
  if (moduleLoadList()?.includes(PRIMARY_MODULE) !== true) return [];
  return Object.values(cluster().workers ?? {}).filter((worker) => worker !== undefined);
}

/** Whether this process is a worker of a cluster. */
export function isWorker(): boolean {
  return moduleLoadList()?.includes('NativeModule internal/cluster/child') === true;
}

/** node:cluster. The first call loads net and child_process. */
export function cluster(): ClusterModule {
  return process.getBuiltinModule('node:cluster') as unknown as ClusterModule;
}

/** Sockets and servers that the parent process has sent, and that wait for the app to listen for messages. */
export function pendingHandles(): readonly unknown[] {
  const messages = valueBySymbol(process.channel ?? {}, 'kPendingMessages');
  // Each is the arguments of a 'message' event: name, message, handle.
  return Array.isArray(messages) ? messages.map((args: unknown) => Array.isArray(args) && args[2]).filter(Boolean) : [];
}
