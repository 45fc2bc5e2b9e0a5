import { stripVTControlCharacters } from 'node:util';

/** Another screen, so that the user's own comes back as it was; no cursor; and no line that goes on in the next one. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A terminal that knows these shows what is between them at once. Others ignore them. */
const BEGIN_UPDATE = '\u001b[?2026h';
const END_UPDATE = '\u001b[?2026l';

const USUAL = { columns: 80, rows: 24 } as const;

/** They end a process that does not listen for them. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** A terminal as a screen for pictures. However the process ends, but for SIGKILL, the user gets it back as it was. */
export class Terminal {
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: NodeJS.WriteStream;
  #isOpen = false;

  constructor(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream) {
    this.#stdin = stdin;
    this.#stdout = stdout;
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // A terminal that has no size yet says 0.
    return { columns: this.#stdout.columns || USUAL.columns, rows: this.#stdout.rows || USUAL.rows };
  }

  /** @param onInput gets what is typed, `onResize` is called when the size has changed */
  open(onInput: (input: string) => void, onResize: () => void): void {
    this.#stdin.setEncoding('utf8').on('data', onInput);
    this.#stdout.on('resize', onResize);
    // Stopped by Ctrl+Z and brought back: the shell has used the terminal meanwhile.
    process.on('SIGCONT', this.#comeBack);
    process.on('exit', this.#leave);
    for (const signal of ENDING) process.on(signal, this.#end);
    this.#enter();
  }

  close(): void {
    this.#leave();
    process.off('SIGCONT', this.#comeBack);
    process.off('exit', this.#leave);
    for (const signal of ENDING) process.off(signal, this.#end);
    this.#stdout.removeAllListeners('resize');
    this.#stdin.removeAllListeners('data').pause();
  }

  /** Overwrite the screen line by line, by one write: nothing flickers. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    // Behind a line that fills its row the cursor stands on the last letter, which would be cleared.
    const isFull = (line: string): boolean => stripVTControlCharacters(line).length >= this.size.columns;
    const text = lines.map((line) => (isFull(line) ? line : `${line}${CLEAR_LINE}`)).join('\r\n');
    this.#stdout.write(`${BEGIN_UPDATE}${HOME}${text}${CLEAR_BELOW}${END_UPDATE}`);
  }

  /** Give the terminal to the shell, and stop. */
  suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGTSTP');
  }

  #enter(): void {
    this.#isOpen = true;
    this.#stdin.setRawMode(true).resume();
    this.#stdout.write(ENTER);
  }

  readonly #leave = (): void => {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stdout.write(LEAVE);
    this.#stdin.setRawMode(false);
  };

  readonly #comeBack = (): void => {
    this.#leave();
    this.#enter();
    this.#stdout.emit('resize');
  };

  /** The parent process must see which signal has ended us. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal);
  };
}
