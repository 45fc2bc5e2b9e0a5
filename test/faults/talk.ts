import { connect, type Socket } from 'node:net';

/** A port of this machine, or the path of a Unix socket. */
export type Place = number | string;

/** What a connection brought. */
export interface Talk {
  readonly bytes: Buffer;
  /** The connection ended, in whatever way, within the patience. */
  readonly hasEnded: boolean;
}

interface TalkOptions {
  /** Milliseconds without a byte after which the other side is taken for hung. */
  readonly patience?: number;
  /** Milliseconds after which reading begins. */
  readonly readAfter?: number;
  /** Called when the first bytes have come. */
  readonly onFirst?: (socket: Socket) => void;
}

/** @param localAddress of a TCP connection, if the ports of one address are not enough */
export function open(place: Place, localAddress?: string): Socket {
  if (typeof place === 'string') return connect(place);
  return connect({ port: place, host: '127.0.0.1', ...(localAddress === undefined ? {} : { localAddress }) });
}

/** A request for a path. A connection ends after the answer to the last. */
export function get(path: string, isLast = true): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${isLast ? 'Connection: close\r\n' : ''}\r\n`;
}

/** Write a text, and take all that comes until the connection ends. */
export function talk(place: Place, text: string, options: TalkOptions = {}): Promise<Talk> {
  const { patience = 5000, readAfter = 0, onFirst } = options;
  const socket = open(place);
  const chunks: Buffer[] = [];
  socket.once('data', () => onFirst?.(socket));
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (readAfter > 0) {
    socket.pause();
    setTimeout(() => socket.resume(), readAfter);
  }
  socket.write(text);
  return new Promise((resolve) => {
    let hasEnded = true;
    socket.setTimeout(patience, () => {
      hasEnded = false;
      socket.destroy();
    });
    // A reset is a normal end here: only the bytes before it count.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve({ bytes: Buffer.concat(chunks), hasEnded }));
  });
}

/** The body of the answer to one request, which must be whole. */
export async function fetchBody(place: Place, path: string): Promise<Buffer> {
  const { bytes, hasEnded } = await talk(place, get(path));
  if (!hasEnded) throw new Error(`no answer to ${path}`);
  return bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Do something so many times, some of them at once. */
export async function repeat(times: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < times) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
