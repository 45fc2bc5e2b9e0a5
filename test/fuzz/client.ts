import { connect, type Socket } from 'node:net';
import type { SocketHandle } from '../../src/node/net.js';
import { setKernelValue } from '../support/sockets/kernel-value.js';
import { type ReadResponse, ResponseReader } from './response-reader.js';
import type { Connection, Session } from './session/program.js';

/** How far a client has come. */
export interface Position {
  readonly exchange: number;
  /** Bytes of its body. */
  readonly bytes: number;
}

/** The client of one connection. */
export class Client {
  /** All bytes that came. */
  received = 0;
  error: string | undefined;
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #path: string;
  readonly #socket: Socket;
  readonly #reader: ResponseReader;
  readonly #isRaw: boolean;
  readonly #raw: ReadResponse = { head: [], body: [], length: 0, isComplete: false };
  #pauses: number;
  #asked = 0;

  constructor(
    place: number | string,
    path: readonly [session: number, connection: number],
    { protocol, connections }: Session,
  ) {
    const connection = connections[path[1]];
    if (connection === undefined) throw new Error(`no connection ${path[1]}`);
    this.#connection = connection;
    this.#path = path.join('/');
    this.#isRaw = protocol === 'raw';
    this.#pauses = 0;
    const methods = connection.exchanges.map(({ method }) => method);
    this.#reader = new ResponseReader(methods, () => this.#askNext());
    this.#socket = typeof place === 'string' ? connect(place) : connect(place, '127.0.0.1');
    this.#socket.on('data', (bytes) => this.#take(bytes));
    if (connection.reader.starts === 'when the server stalls') this.#socket.pause();
    this.#socket.once('connect', () => this.#begin());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        if (this.error === undefined) this.#end();
        resolve();
      });
    });
  }

  get responses(): readonly ReadResponse[] {
    return this.#isRaw ? [this.#raw] : this.#reader.responses;
  }

  get brokenFraming(): string | undefined {
    return this.#reader.broken;
  }

  get position(): Position {
    return { exchange: this.responses.length - 1, bytes: this.responses.at(-1)?.length ?? 0 };
  }

  read(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #begin(): void {
    const { reader, isPipelined, exchanges } = this.#connection;
    const handle = Reflect.get(this.#socket, '_handle') as SocketHandle;
    if (reader.receiveBuffer !== undefined) setKernelValue(handle, 'SO_RCVBUF', reader.receiveBuffer);
    if (this.#isRaw) this.#socket.write(`${this.#path.replace('/', ' ')}\n`);
    else if (isPipelined) this.#socket.write(exchanges.map((_, index) => this.#request(index)).join(''));
    else this.#socket.write(this.#request(0));
  }

  #request(index: number): string {
    const { exchanges, endedBy } = this.#connection;
    const exchange = exchanges[index];
    const isLast = index === exchanges.length - 1;
    const version = exchange?.framing === 'close' ? '1.0' : '1.1';
    const closing = isLast && endedBy === 'server' ? 'Connection: close\r\n' : '';
    this.#asked = index + 1;
    return `${exchange?.method} /${this.#path}/${index} HTTP/${version}\r\nHost: localhost\r\n${closing}\r\n`;
  }

  #askNext(): void {
    const { exchanges, endedBy } = this.#connection;
    const answered = this.#reader.responses.length;
    if (answered === exchanges.length && endedBy === 'client') this.#socket.end();
    else if (answered === this.#asked && answered < exchanges.length) this.#socket.write(this.#request(answered));
  }

  #take(bytes: Buffer): void {
    this.received += bytes.length;
    if (this.#isRaw) {
      this.#raw.body.push(bytes);
      this.#raw.length += bytes.length;
    } else this.#reader.feed(bytes);
    const pause = this.#connection.reader.pauses[this.#pauses];
    if (pause === undefined || this.received < pause.after) return;
    this.#pauses++;
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), pause.milliseconds);
  }

  #end(): void {
    this.#raw.isComplete = true;
    this.#reader.end();
  }
}
