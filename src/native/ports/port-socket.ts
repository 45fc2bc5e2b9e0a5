/** Of TCP, as ss(8) calls them. */
export type PortState = 'ESTAB' | 'SYN-RECV' | 'LISTEN';

/** A TCP socket of this network namespace, whichever process it belongs to. */
export interface PortSocket {
  readonly state: PortState;
  readonly family: 4 | 6;
  /** Address that it is bound to, as the kernel's bytes in hexadecimal. */
  readonly address: string;
  readonly port: number;
  /** The other end, as its address and port. */
  readonly peer: string;
  /** Of a listener: connections that wait to be accepted. */
  readonly queued: number;
  /** Of a listener: how many may wait. */
  readonly backlog: number;
  readonly uid: number;
  /** Of its descriptor, as /proc/PID/fd shows it; 0 of a handshake under way. */
  readonly inode: number;
}
