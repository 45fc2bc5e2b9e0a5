import { type ChildProcess, spawn } from 'node:child_process';
import { lineReader } from '../lines.js';

/** A program that answers a line with a line. It ends with its standard input, so also when this process is killed. */
export class LineProgram {
  readonly #child: ChildProcess;
  /** The next line that it says. */
  readonly line: () => Promise<string>;
  readonly #end = (): boolean => this.#child.kill('SIGTERM');

  constructor([program = '', ...rest]: readonly string[]) {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Whoever writes to a program that has ended learns of it by the missing answer.
    child.stdin.on('error', () => undefined);
    this.#child = child;
    this.line = lineReader(child);
    process.prependOnceListener('exit', this.#end);
  }

  /** One question at a time. */
  ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  }

  stop(): void {
    process.off('exit', this.#end);
    this.#end();
  }
}
