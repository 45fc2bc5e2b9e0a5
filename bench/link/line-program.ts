import { type ChildProcess, spawn } from 'node:child_process';
import { lineReader } from '../lines.js';

/** Program that answers a line with a line. It ends with its standard input, so also with this process. */
export class LineProgram {
  readonly #child: ChildProcess;
  /** Next line of its output. */
  readonly line: () => Promise<string>;
  readonly #end = (): boolean => this.#child.kill('SIGTERM');

  constructor([program = '', ...rest]: readonly string[]) {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    // After the program's end, the writer notices the missing answer.
    child.stdin.on('error', () => undefined);
    this.#child = child;
    this.line = lineReader(child);
    process.prependOnceListener('exit', this.#end);
  }

  /** Ask one question; one at a time. */
  ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  }

  stop(): void {
    process.off('exit', this.#end);
    this.#end();
  }
}
