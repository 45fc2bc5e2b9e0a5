import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** What became of the requests that were sent. Nothing is repeated. */
export interface Tally {
  answered: number;
  /** Sent, and not answered. */
  lost: number;
  /** Answered with 502, 503 or the like. */
  failed: number;
  /** Refused by the server with REFUSED_STREAM: the client knows that it was not begun, and may repeat it. */
  returned: number;
  /** Not sent, as the client has met GOAWAY between `request()` and its write. It ends as REFUSED_STREAM, too. */
  unsent: number;
  /** Connections that nobody has accepted: no request was sent. */
  refused: number;
}

export function newTally(): Tally {
  return { answered: 0, lost: 0, failed: 0, returned: 0, unsent: 0, refused: 0 };
}

/** A client of one connection at a time, to whoever `port` names then. */
export type Client = (port: () => number, tally: Tally, isOver: () => boolean) => Promise<void>;

const PAUSE_MILLISECONDS = 60;

/** A client waits no longer for an answer. */
const PATIENCE_MILLISECONDS = 10_000;

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

/** Open a connection. Undefined: nobody has accepted it. */
function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket | undefined> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.once(event, () => resolve(socket)).once('close', () => resolve(undefined));
    socket.setTimeout(PATIENCE_MILLISECONDS, () => socket.destroy());
  });
}

function keepAlive(open: (port: number) => Promise<Socket | undefined>): Client {
  return async (port, tally, isOver) => {
    while (!isOver()) {
      const socket = await open(port());
      if (socket === undefined) tally.refused++;
      else await talk(socket, tally, isOver);
      socket?.destroy();
      await pause();
    }
  };
}

/** HTTP/1.1 with keep-alive. */
export const http1 = keepAlive((port) => opened(connect(port, '127.0.0.1'), 'connect'));

/** The same with TLS. Whose certificate it is, is no matter. */
export const https = keepAlive((port) =>
  opened(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }), 'secureConnect'),
);

/** How a stream has ended. */
interface StreamEnd {
  readonly status: number | undefined;
  readonly code: number;
  readonly isSent: boolean;
}

function askStream(session: ClientHttp2Session): Promise<StreamEnd> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    let status: number | undefined;
    let isSent = true;
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('error', () => undefined);
    stream.on('frameError', () => {
      isSent = false;
    });
    stream.on('close', () => resolve({ status, code: stream.rstCode, isSent }));
    stream.resume().end('{}');
  });
}

const REFUSED_STREAM = 7;

function countStream({ status, code, isSent }: StreamEnd, tally: Tally): void {
  if (status === 200 && code === 0) tally.answered++;
  else if (!isSent) tally.unsent++;
  else if (code === REFUSED_STREAM) tally.returned++;
  else tally.lost++;
}

function streams(scheme: 'http' | 'https'): Client {
  return async (port, tally, isOver) => {
    while (!isOver()) {
      const session = connectHttp2(`${scheme}://127.0.0.1:${port()}`, { rejectUnauthorized: false });
      session.on('error', () => undefined).setTimeout(PATIENCE_MILLISECONDS, () => session.destroy());
      const isConnected = await new Promise((resolve) => {
        session.once('connect', () => resolve(true)).once('close', () => resolve(false));
      });
      if (!isConnected) tally.refused++;
      while (!isOver() && !session.closed && !session.destroyed) {
        countStream(await askStream(session), tally);
        await pause();
      }
      session.destroy();
      await pause();
    }
  };
}

/** HTTP/2 without TLS, and with it. */
export const http2 = streams('http');
export const http2Secure = streams('https');
