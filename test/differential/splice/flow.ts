import type { Socket } from 'node:net';
import { content } from '../../support/files/content.js';

/** More than all buffers of a line hold, so that bulk is seen as such. */
export const BULK = 8 << 20;

/** A place in the middle of a bulk, in the receiver's bytes. */
export const MIDDLE = 3 << 20;

const PIECE = 256 << 10;

interface SendOptions {
  /** Bytes of one write. */
  readonly piece?: number;
  /** Milliseconds between two writes. */
  readonly pause?: number;
  /** End the socket when all is written, with the last write's bytes; on unless said otherwise. */
  readonly ends?: boolean;
}

function pauseFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Resolves when the socket takes bytes again, or is closed. */
function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** Sends bytes with back-pressure. Stops when the socket is destroyed. */
export async function send(socket: Socket, bytes: Buffer, options: SendOptions = {}): Promise<void> {
  const { piece = PIECE, pause = 0, ends = true } = options;
  for (let at = 0; at < bytes.length && !socket.destroyed; at += piece) {
    const part = bytes.subarray(at, at + piece);
    const isLast = at + piece >= bytes.length;
    // FIN comes with the last byte.
    if (isLast && ends) return void socket.end(part);
    if (!socket.write(part)) await writable(socket);
    if (pause > 0) await pauseFor(pause);
  }
}

/** What a socket has received, or a listener was given. */
export class Received {
  readonly #chunks: Buffer[] = [];
  readonly #waiting: { readonly length: number; resolve(): void }[] = [];
  length = 0;

  take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    for (const [index, { length, resolve }] of [...this.#waiting.entries()].reverse()) {
      if (this.length < length) continue;
      this.#waiting.splice(index, 1);
      resolve();
    }
  }

  /** Resolves when so many bytes have come. */
  reaches(length: number): Promise<void> {
    if (this.length >= length) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ length, resolve }));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** `whole`, `beginning` or what is wrong. */
  verdict(expected: Buffer): string {
    const bytes = this.bytes();
    if (bytes.equals(expected)) return 'whole';
    if (bytes.equals(expected.subarray(0, bytes.length))) return 'beginning';
    const wrong = bytes.findIndex((byte, index) => byte !== expected[index]);
    return `${bytes.length} bytes of ${expected.length}, wrong at ${wrong}`;
  }
}

/** Receives all that comes, at a pace. */
export function receive(socket: Socket, { pause = 0 } = {}): Received {
  const received = new Received();
  socket.on('data', (chunk: Buffer) => {
    received.take(chunk);
    if (pause === 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), pause);
  });
  return received;
}

/** The bytes of a scenario: no two ranges are equal, so every loss and every repetition is seen. */
export function bulk(size = BULK, seed = 1): Buffer {
  return content(size, seed);
}
