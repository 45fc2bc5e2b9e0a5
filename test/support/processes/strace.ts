import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EndedProcess, type NodeOptions, runNode } from './node-process.js';
import { scratchProject } from './scratch-project.js';

/** A system call as strace saw it. */
export interface SystemCall {
  readonly name: string;
  /** Its arguments, as strace writes them. */
  readonly text: string;
  /** The descriptor that is its first argument. */
  readonly fd: number;
  /** What it returned; NaN if it did not. */
  readonly result: number;
}

export interface TracedProcess extends EndedProcess {
  /** The calls of all threads, in the order in which they began. */
  readonly calls: readonly SystemCall[];
}

const LINE = /^\d+ +(\w+)\((.*?)(?:\) += (-?\d+|\?).*| <unfinished \.\.\.>)$/;

function parse(line: string): SystemCall[] {
  const match = LINE.exec(line);
  if (match === null) return [];
  const [, name = '', text = '', result] = match;
  return [{ name, text, fd: Number.parseInt(text, 10), result: Number.parseInt(result ?? '', 10) }];
}

let traces = 0;

/** How strace is told to make system calls fail, e.g. `setsockopt:error=EPERM:when=2+`. */
export interface TraceOptions extends NodeOptions {
  readonly inject?: string;
}

/** Run Node to its end and write down these system calls. */
export async function traceNode(
  names: readonly string[],
  args: readonly string[],
  { inject, ...options }: TraceOptions = {},
): Promise<TracedProcess> {
  const output = join(scratchProject(), `trace-${traces++}`);
  const injection = inject === undefined ? [] : ['-e', `inject=${inject}`];
  const under = ['strace', '-f', '-qq', '-o', output, '-e', `trace=${names.join(',')}`, ...injection];
  const process = await runNode(args, { ...options, under });
  return { ...process, calls: readFileSync(output, 'utf8').split('\n').flatMap(parse) };
}
