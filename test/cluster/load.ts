import { connect } from 'node:net';

/** How connections have ended, each with one request. */
export interface Tally {
  /** Answers by their body, which says whose they are. */
  readonly answers: ReadonlyMap<string, number>;
  /** Those that were not answered, by the error's code; `empty` of an end without an answer. */
  readonly failures: Readonly<Record<string, number>>;
}

const REQUEST = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

/** After that, a client has been forgotten by its server. */
const PATIENCE_MS = 30_000;

/** A connection of its own for one request. Resolves with the body, or with the error. */
export function ask(port: number, host = '127.0.0.1'): Promise<string | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host }).setEncoding('latin1');
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('end', () => resolve(text.split('\r\n\r\n')[1] ?? ''));
    socket.on('error', resolve);
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('nobody has answered')));
    socket.write(REQUEST);
  });
}

/** Clients that connect again and again. */
export class Load {
  readonly #answers = new Map<string, number>();
  readonly #failures: Record<string, number> = {};
  readonly #clients: readonly Promise<void>[];
  #isOver = false;

  constructor(port: number, concurrent: number) {
    this.#clients = Array.from({ length: concurrent }, () => this.#run(port));
  }

  get answered(): number {
    return [...this.#answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Wait for so many answers more. */
  async more(count: number): Promise<void> {
    const wanted = this.answered + count;
    while (this.answered < wanted && Object.keys(this.#failures).length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async end(): Promise<Tally> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return { answers: this.#answers, failures: this.#failures };
  }

  async #run(port: number): Promise<void> {
    while (!this.#isOver) {
      const answer = await ask(port);
      if (typeof answer === 'string' && answer !== '') this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1);
      else {
        const kind = typeof answer === 'string' ? 'empty' : (answer.code ?? answer.message);
        this.#failures[kind] = (this.#failures[kind] ?? 0) + 1;
      }
    }
  }
}
