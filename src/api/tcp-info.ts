import type { Socket } from 'node:net';
import { platform } from '../native/index.js';
import type { TcpInfo } from '../native/sockets/tcp-info.js';
import { socketHandle } from './apply.js';

/**
 * The kernel's figures of a connection: round-trip time, congestion window, retransmits, bytes (TCP_INFO of tcp(7)). A TLSSocket has
 * those of the TCP connection below it.
 *
 * @returns undefined for a Unix socket, and on systems other than Linux
 * @throws {SocketTuneError} `ERR_SOCKET_TUNE_INVALID_ARG`, or `ERR_SOCKET_TUNE_SOCKET_CLOSED`
 */
export function tcpInfo(socket: Socket): TcpInfo | undefined {
  return platform().tcpInfo(socketHandle(socket));
}
