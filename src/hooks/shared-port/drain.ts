import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { fdOf } from '../../native/sockets/handle-fd.js';
import { boundPort } from '../../node/addresses.js';
import { clearTimeout, now, setImmediate, setTimeout } from '../../node/clock.js';
import { connectionHandle, type ListenHandle, type NetServer, type SocketHandle } from '../../node/net.js';
import { beforeClose, holdClose } from '../../node/patch/net.js';
import { mayBeHeldElsewhere } from './holders.js';
import { removeOwnPort } from './own-ports.js';
import { portMembers } from './port-members.js';

/**
 * Drain a listener that shares its port before it closes, unless the kernel gives its connections to the other listeners.
 *
 * @param isForAny drain it also where it has its port for itself: a connection of its queue is the app's to answer
 */
export function drainOnClose(platform: Platform, server: NetServer, handle: ListenHandle, isForAny = false): void {
  beforeClose(handle, (close) => {
    removeOwnPort(handle);
    const port = boundPort(handle);
    const members = port === undefined ? undefined : portMembers(platform, handle, port);
    const isShared = (members?.length ?? 1) > 1;
    const isLeft = isShared ? platform.ports?.migratesConnections() === true : !isForAny;
    if (isLeft || platform.ports === undefined) return close();
    const drain = new Drain(platform, server, handle, port, close, !isShared && mayBeHeldElsewhere());
    drains.set(server, drain);
    drain.start();
  });
}

/** A server listens again: close its last listener now, so that its events come in Node's order. */
export function endDrain(server: object): void {
  drains.get(server)?.finish();
}

/** Drains under way, by their servers. */
const drains = new WeakMap<object, Drain | undefined>();

/** A handshake may need the first two retransmits of its SYN-ACK: the answer was lost, or the kernel ignored it (DEFER_ACCEPT). */
const LONGEST_DRAIN_MS = 2000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;

const NO_DEFERRING = Int32Array.of(0);

/**
 * Have a listener accept no newcomers any more. What is in its queue is there to be accepted, also what has sent no data yet.
 *
 * @returns false where the system has no way to do so
 */
export function ignoreNewcomers(platform: Platform, handle: ListenHandle): boolean {
  const { TCP_DEFER_ACCEPT } = platform.constants;
  if (TCP_DEFER_ACCEPT !== undefined) platform.set(handle, TCP_DEFER_ACCEPT, NO_DEFERRING);
  return platform.ports?.ignoreNewcomers(handle) === 0;
}

/**
 * A listener that is being closed. close(2) resets the connections in its accept queue and its handshakes under way, though another
 * listener on the port could have served them. So a drain ignores new SYNs, whose clients retransmit after a second and reach the other
 * listeners. It accepts the queue, waits for handshakes, and closes the descriptor last. Mostly that is done within close().
 */
class Drain {
  readonly #platform: Platform;
  readonly #server: NetServer;
  readonly #handle: ListenHandle;
  /** Undefined of a Unix socket, which knows no handshakes. */
  readonly #port: number | undefined;
  readonly #close: () => void;
  /** Another process may go on with the same listener. */
  readonly #isHeldElsewhere: boolean;
  readonly #letServerClose: () => void;
  readonly #began = now();
  readonly #accepted: SocketHandle[] = [];
  /** Peers of the handshakes that were under way at every look; undefined before the first. */
  #handshakes: ReadonlySet<string> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    platform: Platform,
    server: NetServer,
    handle: ListenHandle,
    port: number | undefined,
    close: () => void,
    isHeldElsewhere: boolean,
  ) {
    this.#platform = platform;
    this.#server = server;
    this.#handle = handle;
    this.#port = port;
    this.#close = close;
    this.#isHeldElsewhere = isHeldElsewhere;
    this.#letServerClose = holdClose(server);
  }

  start(): void {
    if (this.#port === undefined) return this.#end();
    if (ignoreNewcomers(this.#platform, this.#handle)) this.#look(FIRST_PAUSE_MS);
    else this.#end();
  }

  /** End it now, whatever is under way. */
  finish(): void {
    if (fdOf(this.#handle) >= 0) this.#end();
    this.#deliver();
  }

  /** Accept what is there, and look again after a pause while handshakes are under way. */
  #look(pause: number): void {
    this.#accept();
    const current = this.#platform.ports?.sockets(this.#port ?? 0, 'SYN-RECV')?.map(({ peer }) => peer) ?? [];
    const known = this.#handshakes;
    // A handshake that began later belongs to another listener.
    this.#handshakes = new Set(known === undefined ? current : current.filter((peer) => known.has(peer)));
    if (this.#handshakes.size === 0 || now() - this.#began > LONGEST_DRAIN_MS) return this.#end();
    this.#timer = setTimeout(() => this.#look(Math.min(pause * 2, LONGEST_PAUSE_MS)), pause);
  }

  #accept(): void {
    for (;;) {
      const fd = this.#platform.ports?.accept(this.#handle) ?? -1;
      if (fd < 0) return;
      const client = connectionHandle(this.#handle, fd);
      if (client === undefined) this.#platform.close(fd);
      else this.#accepted.push(client);
    }
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#accept();
    // The filter is the listener's, whoever holds it: it would stay deaf for ever.
    if (this.#isHeldElsewhere) this.#platform.ports?.acceptNewcomers(this.#handle);
    this.#close();
    debug('drained port %s in %d ms, %d connections', this.#port, now() - this.#began, this.#accepted.length);
    // An app does not expect 'connection' while it calls close().
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    if (drains.get(this.#server) !== this) return;
    drains.set(this.#server, undefined);
    for (const client of this.#accepted.splice(0)) this.#handle.onconnection?.(0, client);
    this.#letServerClose();
  }
}
