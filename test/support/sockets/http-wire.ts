/** A response as it came over the wire, with the framing taken off. */
export interface WireResponse {
  /** Status line and header lines, the date masked. */
  readonly head: readonly string[];
  readonly body: Buffer;
  /** Header lines after a chunked body. */
  readonly trailers: readonly string[];
  /** Bytes that the framing of chunks took. */
  readonly framing: number;
}

type WireBody = Pick<WireResponse, 'body' | 'trailers' | 'framing'>;

const CRLF = '\r\n';

/** Reads from the bytes of one connection. */
class Cursor {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  line(): string {
    const end = this.#bytes.indexOf(CRLF, this.#at, 'latin1');
    if (end < 0) throw new Error(`no end of line after ${this.#bytes.toString('latin1', this.#at, this.#at + 80)}`);
    const line = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + CRLF.length;
    return line;
  }

  /** Lines up to an empty one. */
  lines(): string[] {
    const lines: string[] = [];
    for (let line = this.line(); line !== ''; line = this.line()) lines.push(line);
    return lines;
  }

  take(count: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += taken.length;
    return taken;
  }
}

function headerValue(head: readonly string[], name: string): string | undefined {
  const line = head.find((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

function readChunked(cursor: Cursor): WireBody {
  const chunks: Buffer[] = [];
  let framing = 0;
  for (;;) {
    const line = cursor.line();
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not the size of a chunk: ${line.slice(0, 80)}`);
    const size = Number.parseInt(line, 16);
    framing += line.length + CRLF.length;
    if (size === 0) return { body: Buffer.concat(chunks), trailers: cursor.lines(), framing };
    const chunk = cursor.take(size);
    if (chunk.length < size) throw new Error(`a chunk of ${size} bytes ends after ${chunk.length}`);
    chunks.push(chunk);
    if (cursor.line() !== '') throw new Error('a chunk is longer than its size');
    framing += CRLF.length;
  }
}

function readBody(cursor: Cursor, head: readonly string[], method: string): WireBody {
  const status = Number(head[0]?.split(' ')[1]);
  const nothing = { body: Buffer.alloc(0), trailers: [], framing: 0 };
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return nothing;
  if (headerValue(head, 'transfer-encoding') === 'chunked') return readChunked(cursor);
  const length = headerValue(head, 'content-length');
  return { body: cursor.take(length === undefined ? cursor.rest : Number(length)), trailers: [], framing: 0 };
}

/**
 * All that a connection carried, as responses to requests of these methods. Whatever is left over is one more body without
 * a head: nothing that came is passed over.
 *
 * @throws if the framing is broken
 */
export function parseResponses(bytes: Buffer, methods: readonly string[]): WireResponse[] {
  const cursor = new Cursor(bytes);
  const responses: WireResponse[] = [];
  let answered = 0;
  while (cursor.rest > 0 && answered < methods.length) {
    const head = cursor.lines();
    const read = readBody(cursor, head, methods[answered] ?? 'GET');
    // 100 Continue and its like come before the answer.
    if (!/^HTTP\/1\.1 1\d\d /.test(head[0] ?? '')) answered++;
    responses.push({ head: head.map((line) => line.replace(/^date: .*/i, 'Date: masked')), ...read });
  }
  if (cursor.rest > 0) responses.push({ head: [], body: cursor.take(cursor.rest), trailers: [], framing: 0 });
  return responses;
}
