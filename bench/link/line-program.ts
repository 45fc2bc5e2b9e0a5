import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that answers a line with a line. It ends with its standard input, so also when this process is killed. */
export class LineProgram {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #end = (): boolean => this.#child.kill('SIGTERM');

  constructor([program = '', ...rest]: readonly string[]) {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Whoever writes to a program that has ended learns of it by the missing answer.
    child.stdin.on('error', () => undefined);
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    process.prependOnceListener('exit', this.#end);
  }

  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) {
      const { spawnargs, exitCode, signalCode } = this.#child;
      throw new Error(`${spawnargs.join(' ')} has ended: ${signalCode ?? exitCode ?? 'its output is closed'}`);
    }
    return value;
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
