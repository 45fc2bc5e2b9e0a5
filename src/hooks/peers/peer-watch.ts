import type { Platform } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import type { PeerState } from '../../native/sockets/peer-state.js';
import { setTimeout } from '../../node/clock.js';
import type { SocketHandle } from '../../node/net.js';
import { isMultipath } from '../multipath.js';
import { ConnectionList, endConnection, type PeerConnection } from './connection.js';

/** Looks in the time for a dead peer. An end comes at most one look late. */
const LOOKS = 8;

/** Share of the time after which a peer that answers no retransmission is suspected. The next one is then due within the time. */
const SUSPECT_SHARE = 1 / 3;

/** Probes of a shut window in a row that a live peer does not leave unanswered: one may be lost, or its answer. */
const TELLING_PROBES = 3;

/** TCP_USER_TIMEOUT that ends a connection at its next probe, in milliseconds. */
const AT_ONCE = 1;

/** How peers are watched. Times in milliseconds; undefined: not watched for that. */
export interface PeerLimits {
  readonly deadPeer: number | undefined;
  readonly answer: number | undefined;
}

const state: PeerState = {
  inFlight: 0,
  notSent: 0,
  retransmissions: 0,
  probes: 0,
  silent: 0,
  sent: 0,
  received: 0,
};

const value = new Int32Array(1);

/**
 * Watches connections for dead peers, where the kernel does not end these in time.
 *
 * The kernel cannot tell a dead peer from one whose window stays shut, with TCP_USER_TIMEOUT (net/ipv4/tcp_timer.c `tcp_probe_timer`).
 * TCP_INFO can: a live peer answers retransmissions and probes. So the option is set only while a peer is suspected, and taken back when
 * it answers. It is the kernel that ends the connection: Node reports that in its own way, to whoever reads or writes it.
 */
export class PeerWatch {
  readonly #platform: Platform;
  readonly #limits: PeerLimits;
  readonly #onUnanswered: (connection: PeerConnection) => void;
  readonly #members = new ConnectionList();
  #isWaiting = false;

  /** @param onUnanswered is called with each connection whose question has no answer in time */
  constructor(platform: Platform, limits: PeerLimits, onUnanswered: (connection: PeerConnection) => void) {
    this.#platform = platform;
    this.#limits = limits;
    this.#onUnanswered = onUnanswered;
  }

  /** Not an MPTCP connection: TCP_INFO tells of its first path alone, and the others may be alive. */
  add(connection: PeerConnection): void {
    if (isMultipath(this.#platform, connection.handle)) return;
    this.#members.add(connection);
    if (!this.#isWaiting) this.#lookLater();
  }

  /** Leave all connections to the kernel. */
  close(): void {
    this.#members.each((connection) => {
      this.#acquit(connection);
      this.#members.remove(connection);
    });
  }

  #lookLater(): void {
    const { deadPeer = Number.POSITIVE_INFINITY, answer = Number.POSITIVE_INFINITY } = this.#limits;
    this.#isWaiting = true;
    setTimeout(() => this.#lookAtAll(), Math.min(deadPeer, answer) / LOOKS).unref();
  }

  #lookAtAll(): void {
    this.#isWaiting = false;
    this.#members.each((connection) => this.#look(connection));
    if (!this.#members.isEmpty) this.#lookLater();
  }

  /** Costs a system call only where something was written since the last look, or was on its way then. */
  #look(connection: PeerConnection): void {
    const { handle } = connection;
    // Closed without its socket's knowledge.
    if (fdOf(handle) < 0) return endConnection(connection);
    const written = handle.bytesWritten ?? 0;
    const asks = this.#limits.answer !== undefined && written > 0;
    if (written === connection.written && !connection.isBusy && !asks) return;
    connection.written = written;
    if (!this.#platform.peerState(handle, state)) return;
    connection.isBusy = state.inFlight > 0 || state.notSent > 0;
    if (this.#limits.deadPeer !== undefined) this.#judge(connection, this.#limits.deadPeer);
    if (asks && this.#isUnanswered(handle)) this.#onUnanswered(connection);
  }

  #judge(connection: PeerConnection, deadPeer: number): void {
    if (state.probes >= TELLING_PROBES && state.silent >= deadPeer) this.#suspect(connection, AT_ONCE);
    else if (state.inFlight > 0 && state.retransmissions > 0 && state.silent >= deadPeer * SUSPECT_SHARE)
      this.#suspect(connection, deadPeer);
    else this.#acquit(connection);
  }

  /** All that was written is acknowledged, and nothing has come since. */
  #isUnanswered({ bytesRead = 0 }: SocketHandle): boolean {
    const { answer = Number.POSITIVE_INFINITY } = this.#limits;
    if (state.inFlight > 0 || state.notSent > 0 || state.sent < answer) return false;
    // The kernel begins to count as it connects, and the question may be of the same millisecond.
    return state.sent < state.received || (state.sent === state.received && bytesRead === 0);
  }

  #suspect(connection: PeerConnection, timeout: number): void {
    const { TCP_USER_TIMEOUT: constant } = this.#platform.constants;
    if (constant === undefined) return;
    if (connection.restingTimeout === undefined) {
      if (this.#platform.get(connection.handle, constant, value) !== 0) return;
      connection.restingTimeout = value[0] ?? 0;
    }
    value[0] = timeout;
    this.#platform.set(connection.handle, constant, value);
  }

  #acquit(connection: PeerConnection): void {
    const { TCP_USER_TIMEOUT: constant } = this.#platform.constants;
    if (constant === undefined || connection.restingTimeout === undefined) return;
    value[0] = connection.restingTimeout;
    connection.restingTimeout = undefined;
    this.#platform.set(connection.handle, constant, value);
  }
}
