import { debug } from '../../diagnostics.js';
import { clearTimeout, monotonic, setImmediate, setTimeout } from '../../node/clock.js';
import { hiddenSlot } from '../../node/hidden-slot.js';
import { acceptedSockets, type NetServer, type NetSocket } from '../../node/net.js';
import { isCloseHeld } from '../../node/patch/net.js';
import { idleConnections } from '../../node/patch/servers/http1.js';
import { connectionsOf, socketsOf } from '../../node/servers/http1.js';
import { speaksHttp2 } from '../../node/servers/http2.js';
import { leavingRecord, noteUnanswered } from '../../report/leaving.js';
import { SessionDrain } from './session-drain.js';

/**
 * How long a connection must have been idle to be closed, if it has not answered once more. Clients and proxies pick the connection that
 * was used last, so one that nobody has picked for that long is not in demand. It is what Node's own `keepAliveTimeout` is by default.
 */
const LONGEST_IDLE_MS = 5000;

/** No more of the time of a drain than this is spent waiting for idle connections: then a short one ends before its time, too. */
const IDLE_SHARE = 1 / 3;

/** Between two looks at the connections. */
const PAUSE_MS = 25;

/** The looks take at most this share of the thread's time. */
const LOOKING_SHARE = 1 / 20;

/** Connections on which a response has said that they end. */
const toldToEnd = hiddenSlot<object, true>();

export function noteTold(socket: object): void {
  toldToEnd.set(socket, true);
}

/** What was seen of a connection at the last look. */
interface Seen {
  readonly bytes: number;
  /** Since when it has been idle. */
  readonly since: number;
}

/**
 * A server that was closed, until its last connection is gone. Connections between two requests are closed when they have answered once
 * more, or have been idle for some time, and all others when the time is over.
 */
export class ServerDrain {
  readonly server: NetServer;
  readonly #deadline: number;
  readonly #idleTime: number;
  readonly #began = monotonic();
  readonly #sessions: SessionDrain;
  readonly #onEnd: (drain: ServerDrain) => void;
  #connections = new Map<NetSocket, Seen>();
  /** Responses that are under way, and when they were seen first. */
  #responses = new Map<object, number>();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /**
   * @param time milliseconds that it may take
   * @param secured TLS sockets of http2 sessions, where Node keeps no list of these
   */
  constructor(
    server: NetServer,
    time: number,
    secured: () => readonly NetSocket[],
    onEnd: (drain: ServerDrain) => void,
  ) {
    this.server = server;
    this.#deadline = this.#began + time;
    this.#idleTime = Math.min(LONGEST_IDLE_MS, time * IDLE_SHARE);
    this.#sessions = new SessionDrain(server, this.#idleTime, secured);
    this.#onEnd = onEnd;
    // After what the app does in the same turn: its own `closeAllConnections()`, or another `listen()`.
    this.#lookAfter(0);
  }

  /** Leave the server to Node from now on. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#sessions.end();
    this.#onEnd(this);
  }

  #lookAfter(pause: number): void {
    this.#timer = setTimeout(() => {
      // Behind the poll for events: what the kernel had of requests until now is read, and the connection is not idle.
      setImmediate(() => this.#look());
    }, pause).unref();
  }

  #look(): void {
    if (this.#isOver) return;
    const at = monotonic();
    try {
      if (this.#isDone()) return this.end();
      if (at >= this.#deadline) return this.#cut(at);
      this.#closeIdle(at);
      this.#sessions.look(at);
    } catch (error) {
      // Its connections end as they do in stock Node.
      debug('a drain has failed: %o', error);
      return this.end();
    }
    const pause = Math.max(PAUSE_MS, (monotonic() - at) / LOOKING_SHARE);
    this.#lookAfter(Math.min(pause, Math.max(this.#deadline - at, 0)));
  }

  #isDone(): boolean {
    const { _handle: handle, _connections: connections } = this.server;
    return handle !== null || (connections === 0 && !isCloseHeld(this.server));
  }

  #closeIdle(at: number): void {
    const list = connectionsOf(this.server);
    const speaking = socketsOf(list?.all() ?? []);
    const between = new Set(socketsOf(list === undefined ? [] : idleConnections(list)));
    const connections = new Map<NetSocket, Seen>();
    const responses = new Map<object, number>();
    for (const socket of speaking) {
      const { _httpMessage: response, bytesRead } = socket;
      if (response) responses.set(response, this.#responses.get(response) ?? at);
      const isIdle = !response && socket.writableLength === 0 && (between.has(socket) || bytesRead === 0);
      this.#closeIfIdle(socket, isIdle, at, connections);
    }
    for (const socket of silentSockets(this.server)) {
      if (!connections.has(socket)) this.#closeIfIdle(socket, true, at, connections);
    }
    this.#connections = connections;
    this.#responses = responses;
  }

  #closeIfIdle(socket: NetSocket, isIdle: boolean, at: number, connections: Map<NetSocket, Seen>): void {
    const { bytesRead: bytes } = socket;
    const seen = this.#connections.get(socket);
    const since = isIdle && seen?.bytes === bytes ? seen.since : at;
    connections.set(socket, { bytes, since });
    if (isIdle && (toldToEnd.get(socket) || at - since >= this.#idleTime)) socket.destroySoon();
  }

  /** The time is over. */
  #cut(at: number): void {
    const { _connections: connections } = this.server;
    const list = connectionsOf(this.server);
    const speaking = socketsOf(list?.all() ?? []);
    leavingRecord.cutConnections += connections;
    for (const { _httpMessage: response } of speaking) {
      if (!response || response.writableFinished) continue;
      const { method = '', url = '' } = response.req;
      noteUnanswered(method, url, Math.round(at - (this.#responses.get(response) ?? at)));
    }
    this.#sessions.cut(at);
    for (const socket of [...speaking, ...acceptedSockets(this.server)]) socket.destroy();
    debug('a drain has cut %d connections', connections);
    this.end();
  }
}

/** Sockets that have not even said hello to TLS, or to http2. Of other protocols we do not know who speaks first. */
function silentSockets(server: NetServer): readonly NetSocket[] {
  if (connectionsOf(server) === undefined && !speaksHttp2(server)) return [];
  return acceptedSockets(server).filter(({ bytesRead }) => bytesRead === 0);
}
