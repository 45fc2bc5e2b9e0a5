import { debug } from '../../diagnostics.js';
import type { Platform } from '../../native/platform.js';
import { boundPort } from '../../node/addresses.js';
import { now, setImmediate, setTimeout } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { connectionHandle, type ListenHandle, type NetServer, type SocketHandle } from '../../node/net.js';
import { beforeClose, holdClose } from '../../node/patch/net.js';
import { releasePort } from './own-ports.js';
import { portMembers } from './port-members.js';

/**
 * A listener that is closed takes the connections with it that wait in its queue, and those whose handshake is under way: their
 * clients are reset, though another process on the port would have had them. So a listener that shares its port closes in this order:
 * newcomers are ignored (they begin anew after a second, and are the others' then), the queue is accepted, handshakes under way are
 * waited for, and only then the descriptor is closed. Mostly all of it is done before close() returns.
 */

/** Two first retransmits of a SYN-ACK: what a client needs whose answer is lost, or that was not to be accepted yet (DEFER_ACCEPT). */
const LONGEST = 2000;
const FIRST_WAIT = 1;
const LONGEST_WAIT = 20;

const NO_DEFERRING = Int32Array.of(0);

/** One listener that is being closed. */
class Drain {
  readonly #platform: Platform;
  readonly #server: NetServer;
  readonly #handle: ListenHandle;
  readonly #port: number;
  readonly #close: () => void;
  readonly #release: () => void;
  readonly #began = now();
  readonly #accepted: SocketHandle[] = [];
  #underWay: ReadonlySet<string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(platform: Platform, server: NetServer, handle: ListenHandle, close: () => void) {
    this.#platform = platform;
    this.#server = server;
    this.#handle = handle;
    this.#port = boundPort(handle) ?? 0;
    this.#close = close;
    this.#release = holdClose(server);
    drains.set(server, this);
    const { TCP_DEFER_ACCEPT } = platform.constants;
    if (TCP_DEFER_ACCEPT !== undefined) platform.set(handle, TCP_DEFER_ACCEPT, NO_DEFERRING);
    if (platform.ports?.ignoreNewcomers(handle) === 0) this.#look(FIRST_WAIT);
    else this.#end();
  }

  /** End it, whatever is under way. */
  finish(): void {
    if (!this.#isClosed) this.#end();
    this.#deliver();
  }

  #look(wait: number): void {
    this.#accept();
    const shaking = this.#platform.ports?.sockets(this.#port, 'SYN-RECV')?.map(({ peer }) => peer) ?? [];
    const known = this.#underWay;
    this.#underWay = new Set(known === undefined ? shaking : shaking.filter((peer) => known.has(peer)));
    if (this.#underWay.size === 0 || now() - this.#began > LONGEST) return this.#end();
    this.#timer = setTimeout(() => this.#look(Math.min(wait * 2, LONGEST_WAIT)), wait);
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
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#accept();
    this.#close();
    debug('drained port %d in %d ms, %d connections', this.#port, now() - this.#began, this.#accepted.length);
    // An app does not expect connections while it calls close().
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    if (drains.get(this.#server) !== this) return;
    drains.set(this.#server, undefined);
    for (const client of this.#accepted.splice(0)) this.#handle.onconnection?.(0, client);
    this.#release();
  }
}

const drains = hiddenSlot<object, Drain | undefined>();

/** A server listens anew: what it had before is closed now, so that its events come in the order that Node gives them. */
export function endDrain(server: object): void {
  drains.get(server)?.finish();
}

/** Have a listener that shares its port drain before it closes, unless the kernel gives its connections to the others by itself. */
export function drainOnClose(platform: Platform, server: NetServer, handle: ListenHandle): void {
  beforeClose(handle, (close) => {
    releasePort(handle);
    const port = boundPort(handle);
    const isAlone = port === undefined || (portMembers(platform, handle, port)?.all.length ?? 1) < 2;
    if (isAlone || platform.ports?.migratesConnections() === true) close();
    else new Drain(platform, server, handle, close);
  });
}
