/** States of TCP, as ss(8) names them. */
export type PortState = 'ESTAB' | 'SYN-RECV' | 'LISTEN';

/** A TCP socket of any process in this network namespace. */
export interface PortSocket {
  readonly state: PortState;
  readonly family: 4 | 6;
  /** Local address: the kernel's bytes in hexadecimal. */
  readonly address: string;
  readonly port: number;
  /** Address and port of the peer. */
  readonly peer: string;
  /** Connections in the queue of a listener. */
  readonly queued: number;
  /** Length of the queue of a listener. */
  readonly backlog: number;
  readonly uid: number;
  /** Inode of its descriptor, as in /proc/PID/fd; 0 during a handshake. */
  readonly inode: number;
}
