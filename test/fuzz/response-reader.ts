/** A response as far as it has come. */
export interface ReadResponse {
  readonly head: string[];
  readonly body: Buffer[];
  /** Bytes of the body. */
  length: number;
  isComplete: boolean;
}

type State = 'head' | 'body' | 'until the end' | 'chunk size' | 'chunk' | 'end of chunk' | 'trailers' | 'broken';

/** Takes a connection's bytes as they come, and makes responses of them. */
export class ResponseReader {
  readonly responses: ReadResponse[] = [];
  /** What was wrong with the framing. */
  broken: string | undefined;
  readonly #methods: readonly string[];
  readonly #onComplete: () => void;
  #state: State = 'head';
  #line = '';
  #need = 0;

  constructor(methods: readonly string[], onComplete: () => void) {
    this.#methods = methods;
    this.#onComplete = onComplete;
  }

  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== 'broken') {
      if (this.#state === 'body' || this.#state === 'chunk' || this.#state === 'until the end') {
        at += this.#take(bytes.subarray(at, at + this.#need));
        continue;
      }
      const end = bytes.indexOf(10, at);
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end + 1);
      at = end < 0 ? bytes.length : end + 1;
      if (end >= 0) this.#takeLine();
    }
  }

  /** The connection has ended: a response without a length is complete. */
  end(): void {
    if (this.#state === 'until the end') this.#complete();
  }

  get #response(): ReadResponse {
    const response = this.responses.at(-1);
    if (response === undefined) throw new Error('no response');
    return response;
  }

  #take(piece: Buffer): number {
    this.#response.body.push(piece);
    this.#response.length += piece.length;
    this.#need -= piece.length;
    if (this.#need > 0) return piece.length;
    if (this.#state === 'chunk') this.#state = 'end of chunk';
    else this.#complete();
    return piece.length;
  }

  #complete(): void {
    this.#response.isComplete = true;
    this.#state = 'head';
    this.#onComplete();
  }

  #fail(what: string): void {
    this.#state = 'broken';
    this.broken = what;
  }

  #takeLine(): void {
    const line = this.#line.replace(/\r?\n$/, '');
    this.#line = '';
    switch (this.#state) {
      case 'head':
        return this.#takeHeadLine(line);
      case 'chunk size': {
        if (!/^[0-9a-f]+$/i.test(line))
          return this.#fail(`not the size of a chunk: ${JSON.stringify(line.slice(0, 80))}`);
        this.#need = Number.parseInt(line, 16);
        this.#state = this.#need === 0 ? 'trailers' : 'chunk';
        return;
      }
      case 'end of chunk':
        if (line !== '') return this.#fail(`a chunk is longer than its size: ${JSON.stringify(line.slice(0, 80))}`);
        this.#state = 'chunk size';
        return;
      default:
        if (line === '') this.#complete();
    }
  }

  #takeHeadLine(line: string): void {
    const last = this.responses.at(-1);
    if (last === undefined || last.isComplete) {
      if (this.responses.length === this.#methods.length)
        return this.#fail(`one response too many: ${JSON.stringify(line.slice(0, 80))}`);
      if (!line.startsWith('HTTP/1.1 '))
        return this.#fail(`not the beginning of a response: ${JSON.stringify(line.slice(0, 80))}`);
      this.responses.push({ head: [line], body: [], length: 0, isComplete: false });
    } else if (line === '') this.#beginBody();
    else last.head.push(line);
  }

  #beginBody(): void {
    const head = this.#response.head.join('\n');
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    if (this.#methods[this.responses.length - 1] === 'HEAD' || length === '0') this.#complete();
    else if (/^transfer-encoding: chunked$/im.test(head)) this.#state = 'chunk size';
    else {
      this.#state = length === undefined ? 'until the end' : 'body';
      this.#need = Number(length ?? Number.POSITIVE_INFINITY);
    }
  }
}
