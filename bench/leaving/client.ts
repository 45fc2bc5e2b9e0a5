import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of the requests that were sent. Nothing is repeated. */
export interface Tally {
  answered: number;
  /** Sent, and not answered. */
  lost: number;
  /** Answered with 502, 503 or the like. */
  failed: number;
  /** Refused by GOAWAY or REFUSED_STREAM: the client knows that it was not begun, and may repeat it. */
  returned: number;
  /** Connections that nobody has accepted: no request was sent. */
  refused: number;
}

export function newTally(): Tally {
  return { answered: 0, lost: 0, failed: 0, returned: 0, refused: 0 };
}

/** A client of one connection at a time, to whoever `port` names then. */
export type Client = (port: () => number, tally: Tally, isOver: () => boolean) => Promise<void>;

const PAUSE_MILLISECONDS = 10;

const REQUEST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/** Between two requests, none or some time. */
function pause(): Promise<void> {
  return sleep(Math.random() * PAUSE_MILLISECONDS);
}

/** The length of the first response in a text; undefined while it is not whole. All responses here have a length, or are chunked. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1];
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + Number(length);
}

/** Send one request, and wait for its answer. Undefined: the connection has ended without one. */
function ask(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (data: Buffer): void => {
      text += data.toString('latin1');
      if (isWhole(text)) settle(text);
    };
    const onEnd = (): void => settle(undefined);
    const settle = (answer: string | undefined): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      resolve(answer);
    };
    socket.on('data', onData).once('end', onEnd).once('close', onEnd);
    socket.write(REQUEST);
  });
}

async function talk(socket: Socket, tally: Tally, isOver: () => boolean): Promise<void> {
  while (!isOver() && socket.readable && !socket.readableEnded) {
    const answer = await ask(socket);
    if (answer === undefined) {
      tally.lost++;
      return;
    }
    if (answer.startsWith('HTTP/1.1 200')) tally.answered++;
    else tally.failed++;
    if (/^connection: close/im.test(answer)) return;
    await pause();
  }
}

/** HTTP/1.1 with keep-alive. */
export const http1: Client = async (port, tally, isOver) => {
  while (!isOver()) {
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => undefined);
    const [isConnected] = await Promise.race([
      once(socket, 'connect').then(() => [true]),
      once(socket, 'close').then(() => [false]),
    ]);
    if (isConnected) await talk(socket, tally, isOver);
    else tally.refused++;
    socket.destroy();
  }
};

/** The status of the answer, or the code of the stream's end without one. */
function askStream(session: ClientHttp2Session): Promise<{ readonly status?: number; readonly code?: number }> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    let status: number | undefined;
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve(status !== undefined && stream.rstCode === 0 ? { status } : { code: stream.rstCode }),
    );
    stream.resume().end('{}');
  });
}

const REFUSED_STREAM = 7;

/** HTTP/2 without TLS. */
export const http2: Client = async (port, tally, isOver) => {
  while (!isOver()) {
    const session = connectHttp2(`http://127.0.0.1:${port()}`);
    session.on('error', () => undefined);
    const isConnected = await new Promise((resolve) => {
      session.once('connect', () => resolve(true)).once('close', () => resolve(false));
    });
    if (!isConnected) tally.refused++;
    while (!isOver() && !session.closed && !session.destroyed) {
      const { status, code } = await askStream(session);
      if (status === 200) tally.answered++;
      else if (code === REFUSED_STREAM) tally.returned++;
      else tally.lost++;
      await pause();
    }
    session.destroy();
  }
};
