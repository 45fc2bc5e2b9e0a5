import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { monotonic, setImmediate } from '../../node/clock.js';
import { acceptedSockets, type NetServer, type NetSocket } from '../../node/net.js';
import type { Undo } from '../../node/patch/replace.js';
import { afterStream } from '../../node/patch/servers/http2.js';
import { requestOf, sessionOn, sessionsOf, socketOf, streamsOf } from '../../node/servers/http2.js';
import { noteUnanswered } from '../../report/leaving.js';

/**
 * A GOAWAY frame that refuses nothing: its last stream is the greatest that there can be (RFC 9113, 6.8). The client opens no more
 * streams, and those on their way are still answered. Node's `goaway()` has nghttp2 ignore these, whatever it is told.
 */
const NOTICE = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** A peer that does not answer a ping for so long is not waited for. */
const LONGEST_PING_MS = 1000;

/** For so long it is seen how many streams a peer without notice has open at a time. */
const SAMPLE_MS = 250;

/** How a session is ended. */
interface Ending {
  readonly began: number;
  /** The notice was sent at `began`, and a ping after it. */
  readonly hasNotice: boolean;
  /** The most streams that were open at a time. */
  most: number;
  readonly undo: Undo | undefined;
}

/** The http2 sessions of a server that was closed. */
export class SessionDrain {
  readonly #server: NetServer;
  readonly #patience: number;
  readonly #secured: () => readonly NetSocket[];
  #endings = new Map<ServerHttp2Session, Ending>();
  #streams = new Map<ServerHttp2Stream, number>();

  /**
   * @param patience milliseconds for which the best moment to close a session is waited for
   * @param secured TLS sockets of sessions, where Node keeps no list of sessions
   */
  constructor(server: NetServer, patience: number, secured: () => readonly NetSocket[]) {
    this.#server = server;
    this.#patience = patience;
    this.#secured = secured;
  }

  #sessions(): readonly ServerHttp2Session[] {
    const known = sessionsOf(this.#server);
    if (known !== undefined) return known;
    const sockets = [...acceptedSockets(this.#server), ...this.#secured()];
    return sockets.map(sessionOn).filter((session) => session !== undefined);
  }

  look(at: number): void {
    const endings = new Map<ServerHttp2Session, Ending>();
    const streams = new Map<ServerHttp2Stream, number>();
    for (const session of this.#sessions()) {
      const open = streamsOf(session);
      for (const stream of open) streams.set(stream, this.#streams.get(stream) ?? at);
      if (session.closed || session.destroyed) continue;
      const ending = this.#endings.get(session) ?? begin(session, at);
      endings.set(session, ending);
      if (at - ending.began >= (ending.hasNotice ? LONGEST_PING_MS : this.#patience)) session.close();
    }
    this.#endings = endings;
    this.#streams = streams;
  }

  /** Leave the sessions to Node from now on. */
  end(): void {
    for (const { undo } of this.#endings.values()) undo?.();
  }

  /** Name the open streams, and end the sessions. */
  cut(at: number): void {
    for (const session of this.#sessions()) {
      for (const stream of streamsOf(session)) {
        const { method = 'stream', url = String(stream.id) } = requestOf(stream) ?? {};
        noteUnanswered(method, url, Math.round(at - (this.#streams.get(stream) ?? at)));
      }
      session.destroy();
    }
  }
}

/**
 * Tell the peer to open no more streams, and close the session when it must have heard of that.
 *
 * @returns false where that is not to be had: with TLS, whose writes are nghttp2's alone, as two at a time abort the process
 */
function giveNotice(session: ServerHttp2Session): boolean {
  const socket = socketOf(session);
  if (session.encrypted !== false || socket === undefined) return false;
  // Between two frames: nghttp2 writes whole ones.
  socket.write(NOTICE);
  // The answer comes behind all that the peer has sent before it had the notice.
  return session.ping(() => closeOnce(session));
}

/**
 * Begin to end a session. One whose peer cannot be given notice is closed when a stream has come, and its peer has as many open as it ever
 * has: it waits for answers then, and sends nothing that would be refused. So does `Connection: close`.
 */
function begin(session: ServerHttp2Session, at: number): Ending {
  if (giveNotice(session)) return { began: at, hasNotice: true, most: 0, undo: undefined };
  let arrived = 0;
  const undo = afterStream(session, () => {
    arrived++;
    if (arrived > 1) return;
    // Streams that came in the same packet are heard of by then: closing between them would refuse the rest.
    setImmediate(() => {
      // Some may have been answered already.
      const open = Math.max(streamsOf(session).length, arrived);
      arrived = 0;
      const isSampled = monotonic() - at >= SAMPLE_MS;
      if (isSampled && open >= ending.most) closeOnce(session);
      ending.most = Math.max(ending.most, open);
    });
  });
  const ending: Ending = { began: at, hasNotice: false, most: 0, undo };
  return ending;
}

function closeOnce(session: ServerHttp2Session): void {
  if (!session.closed && !session.destroyed) session.close();
}
