// Made from the rows of options by scripts/option-types.js. A change of a row is followed by `node scripts/option-types.js`.
import type { RawOption } from './raw-option.js';

/** The options of a config. The kernel and Node decide about an option that is absent. */
export interface OptionValues {
  /**
   * Send small segments at once instead of waiting for the ACK of the last one (Nagle).
   *
   * Values: `true` or `false`. Presets: default `true`, lowlatency `true`, highthroughput `true`.
   *
   * Variable: `SOCKET_TUNE_NODELAY`. In the kernel: TCP_NODELAY.
   */
  readonly noDelay?: boolean;
  /**
   * Receive buffer: a floor, set only where the kernel’s own ceiling (tcp_rmem) is lower; `exact` sets it always.
   *
   * Values: 1024 to 1073741824 bytes. Presets: default `262144`, lowlatency `131072`, highthroughput `1048576`.
   *
   * Variable: `SOCKET_TUNE_RCVBUF`. In the kernel: SO_RCVBUF.
   */
  readonly receiveBuffer?: number;
  /**
   * Send buffer: a floor, set only where the kernel’s own ceiling (tcp_wmem) is lower; `exact` sets it always.
   *
   * Values: 1024 to 1073741824 bytes. Presets: default `262144`, lowlatency `131072`, highthroughput `1048576`.
   *
   * Variable: `SOCKET_TUNE_SNDBUF`. In the kernel: SO_SNDBUF.
   */
  readonly sendBuffer?: number;
  /**
   * Probe idle connections, so that a dead peer is noticed.
   *
   * Values: `true` or `false`. Presets: default `true`, lowlatency `true`, highthroughput `true`.
   *
   * Variable: `SOCKET_TUNE_KEEPALIVE`. In the kernel: SO_KEEPALIVE.
   */
  readonly keepAlive?: boolean;
  /**
   * Idle time before the first keepalive probe.
   *
   * Values: 1 to 32767 seconds. Presets: default `60`, lowlatency `30`, highthroughput `60`.
   *
   * Variable: `SOCKET_TUNE_KEEPALIVE_IDLE`. In the kernel: TCP_KEEPIDLE.
   */
  readonly keepAliveIdle?: number;
  /**
   * Time between keepalive probes.
   *
   * Values: 1 to 32767 seconds. Presets: default `10`, lowlatency `5`, highthroughput `10`.
   *
   * Variable: `SOCKET_TUNE_KEEPALIVE_INTERVAL`. In the kernel: TCP_KEEPINTVL.
   */
  readonly keepAliveInterval?: number;
  /**
   * Unanswered probes after which the connection is dropped.
   *
   * Values: 1 to 127. Presets: default `6`, lowlatency `3`, highthroughput `6`.
   *
   * Variable: `SOCKET_TUNE_KEEPALIVE_COUNT`. In the kernel: TCP_KEEPCNT.
   */
  readonly keepAliveCount?: number;
  /**
   * Acknowledge a part of a request at once. `on` re-arms it as data arrives; `once` ends with the first ACK.
   *
   * Values: `'on'`, `'once'`, `'off'`. Presets: default `'on'`, lowlatency `'on'`.
   *
   * Variable: `SOCKET_TUNE_QUICKACK`. In the kernel: TCP_QUICKACK.
   */
  readonly quickAck?: 'on' | 'once' | 'off';
  /**
   * Accept a connection only when its first data is there (http, https, tls and http2 servers only). The kernel rounds up.
   *
   * Values: 1 to 32767 seconds. Presets: highthroughput `5`.
   *
   * Variable: `SOCKET_TUNE_DEFER_ACCEPT`. In the kernel: TCP_DEFER_ACCEPT.
   */
  readonly deferAccept?: number;
  /**
   * Take data in a repeat client’s SYN (RFC 7413); the value bounds the queue of such connections.
   *
   * Values: 1 to 65535. Presets: default `256`, lowlatency `256`, highthroughput `256`.
   *
   * Variable: `SOCKET_TUNE_FASTOPEN`. In the kernel: TCP_FASTOPEN.
   */
  readonly fastOpen?: number;
  /**
   * How long sent data may stay unacknowledged before the connection ends with ETIMEDOUT. It also cuts a live peer whose window stays
   * shut: see DEAD_PEER.
   *
   * Values: 1 to 2147483647 milliseconds. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_USER_TIMEOUT`. In the kernel: TCP_USER_TIMEOUT.
   */
  readonly userTimeout?: number;
  /**
   * Most unsent bytes that the kernel queues, so that later data does not wait behind more.
   *
   * Values: 1 to 1073741824 bytes. Presets: lowlatency `262144`.
   *
   * Variable: `SOCKET_TUNE_NOTSENT_LOWAT`. In the kernel: TCP_NOTSENT_LOWAT.
   */
  readonly notSentLowWater?: number;
  /**
   * Longest time that an ACK is delayed, at least two ticks of the kernel’s clock.
   *
   * Values: 1 to 1000000 microseconds. Presets: lowlatency `8000`.
   *
   * Variable: `SOCKET_TUNE_DELACK_MAX`. In the kernel: TCP_DELACK_MAX_US.
   */
  readonly delayedAckMax?: number;
  /**
   * Connections that may wait to be accepted, up to net.core.somaxconn; never fewer than the app asked for.
   *
   * Values: 1 to 2147483647. Presets: default `4096`, lowlatency `4096`, highthroughput `4096`.
   *
   * Variable: `SOCKET_TUNE_BACKLOG`. In the kernel: listen(2).
   */
  readonly backlog?: number;
  /**
   * Each process or thread that listens on a port has its own listener, in a cluster too; `cpu`: a connection goes to the listener of
   * the CPU that received it.
   *
   * Values: `'on'`, `'cpu'`, `'off'`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_REUSEPORT`. In the kernel: SO_REUSEPORT.
   */
  readonly reusePort?: 'on' | 'cpu' | 'off';
  /**
   * Congestion control, such as cubic, reno or bbr; net.ipv4.tcp_available_congestion_control has those that are loaded.
   *
   * Values: a name. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_CONGESTION`. In the kernel: TCP_CONGESTION.
   */
  readonly congestionControl?: string;
  /**
   * Send the first data in the SYN to a server met before (RFC 7413). Only if the client speaks first; otherwise the client waits for
   * ever.
   *
   * Values: `true` or `false`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_FASTOPEN_CONNECT`. In the kernel: TCP_FASTOPEN_CONNECT.
   */
  readonly fastOpenConnect?: boolean;
  /**
   * Largest segment that is announced to the peer, for paths that drop larger segments silently.
   *
   * Values: 88 to 32767 bytes. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_MAXSEG`. In the kernel: TCP_MAXSEG.
   */
  readonly maxSegment?: number;
  /**
   * Times that an unanswered SYN, or a listener’s SYN-ACK, is sent again.
   *
   * Values: 1 to 127. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_SYNCNT`. In the kernel: TCP_SYNCNT.
   */
  readonly synCount?: number;
  /**
   * Largest receive window that is announced to the peer.
   *
   * Values: 1 to 1073741824 bytes. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_WINDOW_CLAMP`. In the kernel: TCP_WINDOW_CLAMP.
   */
  readonly windowClamp?: number;
  /**
   * Bytes that must have arrived before the socket is readable. A shorter message stalls.
   *
   * Values: 1 to 1073741824 bytes. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_RCVLOWAT`. In the kernel: SO_RCVLOWAT.
   */
  readonly receiveLowWater?: number;
  /**
   * How long a closed connection waits for the peer’s FIN (FIN_WAIT2), or net.ipv4.tcp_fin_timeout if it is shorter.
   *
   * Values: 1 to 120 seconds. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_LINGER2`. In the kernel: TCP_LINGER2.
   */
  readonly lingerTimeout?: number;
  /**
   * With few packets in flight, the waits between the first six retransmissions do not grow.
   *
   * Values: `true` or `false`. Presets: lowlatency `true`.
   *
   * Variable: `SOCKET_TUNE_THIN_LINEAR`. In the kernel: TCP_THIN_LINEAR_TIMEOUTS.
   */
  readonly thinLinear?: boolean;
  /**
   * Least time before an unacknowledged segment is sent again.
   *
   * Values: 1 to 200000 microseconds. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_RTO_MIN`. In the kernel: TCP_RTO_MIN_US.
   */
  readonly retransmitTimeoutMin?: number;
  /**
   * Longest time between retransmissions, however many were unanswered.
   *
   * Values: 1000 to 120000 milliseconds. Presets: default `10000`, lowlatency `3400`, highthroughput `10000`.
   *
   * Variable: `SOCKET_TUNE_RTO_MAX`. In the kernel: TCP_RTO_MAX_MS.
   */
  readonly retransmitTimeoutMax?: number;
  /**
   * A peer that answers nothing for this time ends the connection with ETIMEDOUT: no ACK to sent data, none to keepalive. A peer that
   * only reads slowly is never cut. This also sets keepalive times and RTO_MAX that fit.
   *
   * Values: 2 to 32767 seconds. Presets: default `120`, lowlatency `45`, highthroughput `120`.
   *
   * Variable: `SOCKET_TUNE_DEAD_PEER`. In the kernel: TCP_INFO.
   */
  readonly deadPeer?: number;
  /**
   * A peer that has acknowledged all written data, and sends nothing for this time, ends the connection with ETIMEDOUT. Not for
   * protocols that do not answer every request, such as subscriptions of logs.
   *
   * Values: 1 to 32767 seconds. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_ANSWER`. In the kernel: TCP_INFO.
   */
  readonly answer?: number;
  /**
   * DSCP of IPv4 packets: the whole byte, or a name such as cs1, af21, ef, le. For IPv6 peers there is TCLASS.
   *
   * Values: 0 to 255. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_TOS`. In the kernel: IP_TOS.
   */
  readonly typeOfService?: number;
  /**
   * DSCP of IPv6 packets: the whole byte, or a name such as cs1, af21, ef, le.
   *
   * Values: 0 to 255. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_TCLASS`. In the kernel: IPV6_TCLASS.
   */
  readonly trafficClass?: number;
  /**
   * Priority in the queueing discipline of the network interface; above 6 it needs CAP_NET_ADMIN.
   *
   * Values: 0 to 2147483647. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_PRIORITY`. In the kernel: SO_PRIORITY.
   */
  readonly priority?: number;
  /**
   * Most bytes a second that a socket sends. UDP needs the fq queueing discipline for this.
   *
   * Values: 1 to 2147483647 bytes. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_MAX_PACING_RATE`. In the kernel: SO_MAX_PACING_RATE.
   */
  readonly maxPacingRate?: number;
  /**
   * How long a read polls the network card before it sleeps. A higher value needs CAP_NET_ADMIN.
   *
   * Values: 1 to 1000000 microseconds. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_BUSY_POLL`. In the kernel: SO_BUSY_POLL.
   */
  readonly busyPoll?: number;
  /**
   * CPU whose packets go to this socket, among sockets that share a port.
   *
   * Values: 0 to 65535. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_INCOMING_CPU`. In the kernel: SO_INCOMING_CPU.
   */
  readonly incomingCpu?: number;
  /**
   * Mark of the packets for routing and firewall rules. Needs CAP_NET_ADMIN.
   *
   * Values: 0 to 2147483647. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_MARK`. In the kernel: SO_MARK.
   */
  readonly mark?: number;
  /**
   * The only network interface (or VRF) that a socket sends and receives by. macOS: IP_BOUND_IF.
   *
   * Values: the name of a network interface. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_BINDTODEVICE`. In the kernel: SO_BINDTODEVICE.
   */
  readonly bindToDevice?: string;
  /**
   * Bind an address that this machine does not have yet, such as one that a failover brings.
   *
   * Values: `true` or `false`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_FREEBIND`. In the kernel: IP_FREEBIND.
   */
  readonly freeBind?: boolean;
  /**
   * Take connections to addresses of other machines, which TPROXY rules send here, or connect from such an address. Needs
   * CAP_NET_ADMIN or CAP_NET_RAW.
   *
   * Values: `true` or `false`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_TRANSPARENT`. In the kernel: IP_TRANSPARENT.
   */
  readonly transparent?: boolean;
  /**
   * If `localAddress` is bound, connect(2) chooses the port. Connections to different peers may share a port, so ports do not run out.
   *
   * Values: `true` or `false`. Presets: default `true`, lowlatency `true`, highthroughput `true`.
   *
   * Variable: `SOCKET_TUNE_BIND_ADDRESS_NO_PORT`. In the kernel: IP_BIND_ADDRESS_NO_PORT.
   */
  readonly bindAddressNoPort?: boolean;
  /**
   * Multipath TCP (RFC 8684): a connection may use several paths. Peers without it get plain TCP. `ip mptcp` sets the paths. Such
   * sockets have fewer options.
   *
   * Values: `true` or `false`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_MPTCP`. In the kernel: IPPROTO_MPTCP.
   */
  readonly multipath?: boolean;
  /**
   * Receive buffer of UDP sockets, up to net.core.rmem_max; a larger buffer is left alone.
   *
   * Values: 1024 to 1073741824 bytes. Presets: default `2097152`, lowlatency `2097152`, highthroughput `7340032`.
   *
   * Variable: `SOCKET_TUNE_UDP_RCVBUF`. In the kernel: SO_RCVBUF.
   */
  readonly udpReceiveBuffer?: number;
  /**
   * Send buffer of UDP sockets, up to net.core.wmem_max; a larger buffer is left alone.
   *
   * Values: 1024 to 1073741824 bytes. Presets: default `2097152`, lowlatency `2097152`, highthroughput `7340032`.
   *
   * Variable: `SOCKET_TUNE_UDP_SNDBUF`. In the kernel: SO_SNDBUF.
   */
  readonly udpSendBuffer?: number;
  /**
   * Path MTU discovery of UDP sockets: dont, want, do, probe, interface, omit (ip(7)). QUIC stacks use probe.
   *
   * Values: 0 to 5. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_IP_MTU_DISCOVER`. In the kernel: IP_MTU_DISCOVER.
   */
  readonly mtuDiscovery?: number;
  /**
   * The kernel delivers the TOS byte (ECN) with each datagram, for native code that reads it.
   *
   * Values: `true` or `false`. No preset sets it: the kernel decides.
   *
   * Variable: `SOCKET_TUNE_RECVTOS`. In the kernel: IP_RECVTOS.
   */
  readonly receiveTos?: boolean;
  /**
   * macOS: a write to a closed connection is an error and never a SIGPIPE.
   *
   * Values: `true` or `false`. Presets: default `true`, lowlatency `true`, highthroughput `true`.
   *
   * Variable: `SOCKET_TUNE_NOSIGPIPE`. In the kernel: SO_NOSIGPIPE.
   */
  readonly noSigPipe?: boolean;
  /**
   * Options by their numbers, for what the table does not have.
   *
   * Variable: `SOCKET_TUNE_RAW`.
   */
  readonly raw?: readonly RawOption[];
}

/** Key of an option in a config. */
export type OptionKey = Exclude<keyof OptionValues, 'raw'>;
