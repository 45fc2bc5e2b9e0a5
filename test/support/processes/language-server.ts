import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The package does not export it. By a path it can be loaded all the same. */
const GET_PATH = fileURLToPath(new URL('../../../../node_modules/typescript/lib/getExePath.js', import.meta.url));

const { default: executable }: { default(): string } = createRequire(import.meta.url)(GET_PATH);

/** A message of the Language Server Protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly items?: readonly unknown[] };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** Text that an editor shows, in one of the forms of the protocol. */
interface Shown {
  readonly documentation?: string | { readonly value: string };
}

const HEAD_END = '\r\n\r\n';

/** TypeScript's language server, as an editor runs it. */
export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #received = Buffer.alloc(0);
  #lastId = 0;

  constructor() {
    this.#child = spawn(executable(), ['--lsp', '--stdio']);
    this.#child.stdout.on('data', (data: Buffer) => this.#take(data));
  }

  /** Begin to work on the project of a directory. */
  async begin(directory: string): Promise<void> {
    const formats = ['markdown', 'plaintext'];
    const textDocument = {
      hover: { contentFormat: formats },
      completion: {
        completionItem: { documentationFormat: formats, resolveSupport: { properties: ['documentation'] } },
      },
    };
    const rootUri = pathToFileURL(directory).href;
    await this.#ask('initialize', { processId: process.pid, rootUri, capabilities: { textDocument } });
    this.#send({ method: 'initialized', params: {} });
  }

  open(file: string): void {
    const text = readFileSync(file, 'utf8');
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri: pathToFileURL(file).href, languageId: 'typescript', version: 1, text } },
    });
  }

  /** What an editor shows where the mouse rests on the first occurrence of a word. */
  async quickInfo(file: string, word: string): Promise<string> {
    const found = await this.#ask<{ contents: { value: string } } | null>('textDocument/hover', where(file, word, 1));
    return found?.contents.value ?? '';
  }

  /** The names that an editor offers behind the first occurrence of a text, each with its doc. */
  async completions(file: string, text: string): Promise<ReadonlyMap<string, string>> {
    const place = where(file, text, text.length);
    const list = await this.#ask<{ items: readonly { label: string }[] }>('textDocument/completion', place);
    const items = await Promise.all(
      list.items.map(async (item) => {
        const { documentation = '' } = await this.#ask<Shown>('completionItem/resolve', item);
        const doc = typeof documentation === 'string' ? documentation : documentation.value;
        return [item.label.replace('?', ''), doc] as const;
      }),
    );
    return new Map(items);
  }

  end(): void {
    this.#child.kill();
  }

  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    for (;;) {
      const head = this.#received.indexOf(HEAD_END);
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, head))?.[1]);
      const begin = head + HEAD_END.length;
      if (this.#received.length < begin + length) return;
      const message: Message = JSON.parse(this.#received.toString('utf8', begin, begin + length));
      this.#received = this.#received.subarray(begin + length);
      this.#answer(message);
    }
  }

  #answer({ id, method, params, ...rest }: Message): void {
    if (id === undefined) return;
    if (method === undefined) this.#waiting.get(id)?.(rest);
    // The server asks for settings of the editor: there are none.
    else this.#send({ id, result: params?.items?.map(() => ({})) ?? null });
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}${HEAD_END}${text}`);
  }

  async #ask<T>(method: string, params: object): Promise<T> {
    const id = ++this.#lastId;
    const { result, error } = await new Promise<Message>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, method, params });
    });
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }
}

/** A place of a file in the protocol's form: some letters into a text. */
function where(file: string, text: string, letters: number): object {
  const before = readFileSync(file, 'utf8').split(text)[0] ?? '';
  const lines = before.split('\n');
  const position = { line: lines.length - 1, character: (lines.at(-1)?.length ?? 0) + letters };
  return { textDocument: { uri: pathToFileURL(file).href }, position };
}
