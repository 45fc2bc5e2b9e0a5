import { close, connect, discard, NOTHING, send, take } from './sockets.js';

/** Longest header block of any server here. */
const MOST_HEADER = 1024;
const END_OF_HEADER = Buffer.from('\r\n\r\n');

/** After this silence, the request counts as lost. */
const PATIENCE_MILLISECONDS = 10_000;

/** Time limit of a polling loop. */
export class Patience {
  #until = performance.now() + PATIENCE_MILLISECONDS;

  /** Progress: begin anew. */
  renew(): void {
    this.#until = performance.now() + PATIENCE_MILLISECONDS;
  }

  /** @throws without progress for too long */
  check(): void {
    if (performance.now() > this.#until) throw new Error(`nothing has come in for ${PATIENCE_MILLISECONDS} ms`);
  }
}

/** One connection of an HTTP client, with one request at a time. It discards bodies. */
export class HttpConnection {
  readonly #fd: number;
  readonly #head = Buffer.alloc(MOST_HEADER);
  #filled = 0;
  /** Bytes left of the current response, once its header is known. */
  #bodyLength: number | undefined;
  #bodyLeft = 0;

  constructor(port: number, options: { readonly noDelay: boolean } = { noDelay: true }) {
    this.#fd = connect(port, options);
  }

  /** Send a request; each part is one write. */
  write(...parts: readonly Buffer[]): void {
    for (const part of parts) send(this.#fd, part);
  }

  /**
   * Read the available bytes, without waiting.
   *
   * @returns length of the body once the response is complete; NOTHING without new bytes; undefined otherwise
   * @throws if the response is unexpected, or the connection ends early
   */
  poll(): number | undefined {
    if (this.#bodyLength === undefined) return this.#pollHead();
    const dropped = discard(this.#fd, this.#bodyLeft);
    if (dropped === NOTHING) return NOTHING;
    this.#bodyLeft -= dropped;
    return this.#finished();
  }

  /** Wait for a response in a polling loop: a wake-up would cost the server more than its answer. */
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

/** @throws if the header is not that of a whole file */
export function bodyLength(header: string): number {
  const match = /^content-length: *(\d+)\r$/im.exec(header);
  if (!header.startsWith('HTTP/1.1 200 ') || match === null) throw new Error(`unexpected response: ${header}`);
  return Number(match[1]);
}
