import { appName } from '../app-manifest.js';
import type { Platform } from '../native/platform.js';
import type { TcpInfo } from '../native/sockets/tcp-info.js';
import { peerOf } from '../node/addresses.js';
import { now } from '../node/clock.js';
import { fileBytes } from '../node/patch/net.js';
import { type LiveConnection, liveConnections } from './live/connections.js';
import { sampleOutgoing } from './live/outgoing.js';
import { ownVersion } from './own-version.js';
import { type Report, stats } from './report.js';

/** One open connection. */
export interface ConnectionSnapshot {
  /** Address of its listener. */
  readonly listener: string;
  readonly peer: string;
  /** Milliseconds since it was accepted. */
  readonly age: number;
  readonly bytesRead: number;
  /** All bytes written. `bytesBySendfile` is the part sent by sendfile(2). */
  readonly bytesWritten: number;
  readonly bytesBySendfile: number;
  /** Absent if it is no TCP connection. */
  readonly tcp?: TcpInfo;
}

/** What SOCKET_TUNE_INSPECT serves. */
export interface Snapshot {
  readonly pid: number;
  readonly title: string;
  /** Version of socket-tune. */
  readonly version: string;
  /** The app's name and script: `shop (server.js)`. */
  readonly app: string;
  /** Version of Node. */
  readonly node: string;
  /** When the process began, and now: milliseconds of the wall clock. */
  readonly began: number;
  readonly at: number;
  readonly report: Report;
  readonly connections: {
    readonly open: number;
    /** At most {@link MOST_SHOWN}, the longest round trips first. */
    readonly shown: readonly ConnectionSnapshot[];
  };
}

const MOST_SHOWN = 1000;

function connectionSnapshot(
  platform: Platform,
  at: number,
  { handle, listener, since }: LiveConnection,
): ConnectionSnapshot {
  const tcp = platform.tcpInfo(handle);
  return {
    listener: listener.address,
    peer: peerOf(handle),
    age: at - since,
    bytesRead: handle.bytesRead ?? 0,
    bytesWritten: handle.bytesWritten ?? 0,
    bytesBySendfile: fileBytes.get(handle)?.bytes ?? 0,
    ...(tcp === undefined ? {} : { tcp }),
  };
}

/** This thread as it is now. Connections are known from the time that they are watched. */
export function takeSnapshot(platform: Platform): Snapshot {
  const at = now();
  const connections = liveConnections().map((connection) => connectionSnapshot(platform, at, connection));
  sampleOutgoing(platform);
  connections.sort((a, b) => (b.tcp?.roundTripTime ?? 0) - (a.tcp?.roundTripTime ?? 0));
  return {
    pid: process.pid,
    title: process.title,
    version: ownVersion(),
    app: appName(),
    node: process.versions.node,
    began: Math.round(at - process.uptime() * 1000),
    at,
    report: stats(),
    connections: { open: connections.length, shown: connections.slice(0, MOST_SHOWN) },
  };
}
