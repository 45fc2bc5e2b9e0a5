import { close, connect, discard, NOTHING, send, take } from './sockets.js';

/** No server here sends a longer header block. */
const MOST_HEADER = 1024;
const END_OF_HEADER = Buffer.from('\r\n\r\n');

/** A server that has said nothing for so long has lost the request. */
const PATIENCE_MILLISECONDS = 10_000;

/** Waiting, by asking again and again, for somebody who may never answer. */
export class Patience {
  #until = performance.now() + PATIENCE_MILLISECONDS;

  /** There is progress. */
  renew(): void {
    this.#until = performance.now() + PATIENCE_MILLISECONDS;
  }

  /** @throws if there has been none for too long */
  check(): void {
    if (performance.now() > this.#until) throw new Error(`nothing has come in for ${PATIENCE_MILLISECONDS} ms`);
  }
}

/** One connection of an HTTP client, with one request at a time on it. Bodies are thrown away. */
export class HttpConnection {
  readonly #fd: number;
  readonly #head = Buffer.alloc(MOST_HEADER);
  #filled = 0;
  /** Of the response under way, once its header is known. */
  #bodyLength: number | undefined;
  #bodyLeft = 0;

  constructor(port: number, options: { readonly noDelay: boolean } = { noDelay: true }) {
    this.#fd = connect(port, options);
  }

  /** Each part is a write of its own. */
  write(...parts: readonly Buffer[]): void {
    for (const part of parts) send(this.#fd, part);
  }

  /**
   * Take in what has come, without waiting.
   *
   * @returns the length of the body of a response, once all of it has come; NOTHING if nothing at all has come, else undefined
   * @throws if the response is not what was to be expected, or the connection ends early
   */
  poll(): number | undefined {
    if (this.#bodyLength === undefined) return this.#pollHead();
    const dropped = discard(this.#fd, this.#bodyLeft);
    if (dropped === NOTHING) return NOTHING;
    this.#bodyLeft -= dropped;
    return this.#finished();
  }

  /** Wait for a response, by asking again and again: to be woken would cost the server more than its answer does. */
  read(): number {
    const patience = new Patience();
    for (;;) {
      const length = this.poll();
      if (length === undefined) patience.renew();
      else if (length === NOTHING) patience.check();
      else return length;
    }
  }

  close(options = { abort: false }): void {
    close(this.#fd, options);
  }

  #pollHead(): number | undefined {
    const head = this.#head;
    const taken = take(this.#fd, this.#filled === 0 ? head : head.subarray(this.#filled));
    if (taken === NOTHING) return NOTHING;
    this.#filled += taken;
    const end = head.subarray(0, this.#filled).indexOf(END_OF_HEADER);
    if (end < 0 && this.#filled < head.length) return undefined;
    const length = bodyLength(head.toString('latin1', 0, end + 2));
    const left = length - (this.#filled - end - END_OF_HEADER.length);
    if (left < 0) throw new Error(`${-left} bytes more than Content-Length promised`);
    this.#filled = 0;
    this.#bodyLength = length;
    this.#bodyLeft = left;
    return this.#finished();
  }

  #finished(): number | undefined {
    if (this.#bodyLeft > 0) return undefined;
    const length = this.#bodyLength;
    this.#bodyLength = undefined;
    return length;
  }
}

function bodyLength(header: string): number {
  const match = /^content-length: *(\d+)\r$/im.exec(header);
  if (!header.startsWith('HTTP/1.1 200 ') || match === null) throw new Error(`unexpected response: ${header}`);
  return Number(match[1]);
}
