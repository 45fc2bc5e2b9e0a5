import type { Socket } from 'node:net';
import { platform } from '../native/index.js';
import type { TcpInfo } from '../native/sockets/tcp-info.js';
import { socketHandle } from './apply.js';

/**
 * What the kernel knows of a connection: round-trip time, congestion window, retransmits, bytes (TCP_INFO of tcp(7)). Of a
 * TLSSocket, that of the connection below it.
 *
 * @returns undefined of a Unix socket, and where the system does not tell (everywhere but on Linux)
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 */
export function tcpInfo(socket: Socket): TcpInfo | undefined {
  return platform().tcpInfo(socketHandle(socket));
}
