import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { requestOf, sessionOn, sessionsOf, socketOf, streamsOf } from '../../node/http2.js';
import { acceptedSockets, type NetServer, type NetSocket } from '../../node/net.js';
import { noteUnanswered } from '../../report/leaving.js';

/**
 * A GOAWAY frame that refuses nothing: its last stream is the greatest that there can be (RFC 9113, 6.8). The client opens no more
 * streams, and those on their way are still answered. Node's `goaway()` has nghttp2 ignore these, whatever it is told.
 */
const NOTICE = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** A peer that does not answer a ping for so long is not waited for. */
const LONGEST_PING_MS = 1000;

/** How a session is ended. */
interface Ending {
  readonly began: number;
  /** The notice was sent at `began`, and a ping after it. */
  readonly hasNotice: boolean;
}

/** The http2 sessions of a server that was closed. */
export class SessionDrain {
  readonly #server: NetServer;
  readonly #patience: number;
  readonly #secured: () => readonly NetSocket[];
  #endings = new Map<ServerHttp2Session, Ending>();
  #streams = new Map<ServerHttp2Stream, number>();

  /**
   * @param patience milliseconds for which a moment without a stream is waited for
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
      const ending = this.#endings.get(session) ?? { began: at, hasNotice: giveNotice(session) };
      endings.set(session, ending);
      if (isDue(ending, open.length, at - ending.began, this.#patience)) session.close();
    }
    this.#endings = endings;
    this.#streams = streams;
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
  return session.ping(() => {
    if (!session.closed && !session.destroyed) session.close();
  });
}

/** Whether to close a session, which is told to its peer. Streams that the peer opens before it hears of that go unanswered. */
function isDue({ hasNotice }: Ending, streams: number, age: number, patience: number): boolean {
  return hasNotice ? age >= LONGEST_PING_MS : streams === 0 || age >= patience;
}
