import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LONGEST_START = 240_000;

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** What it has written to standard output so far. */
  stdout(): string;
  readonly ended: Promise<Ended>;
}

/** Run Node. Its output goes into files: wine has no pipes that Node could write to. */
export function runNode(args: readonly string[], env: NodeJS.ProcessEnv, scratch: string, name: string): Running {
  const [out, err] = [join(scratch, `${name}.out`), join(scratch, `${name}.err`)];
  const [outFd, errFd] = [openSync(out, 'w'), openSync(err, 'w')];
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', outFd, errFd],
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const fd of [outFd, errFd]) closeSync(fd);
      const [stdout, stderr] = [readFileSync(out, 'utf8'), readFileSync(err, 'utf8')];
      resolve({ status: code ?? String(signal), stdout, stderr });
    });
  });
  return { stdout: () => readFileSync(out, 'utf8'), ended };
}

/** The first line that a program writes. */
export async function firstLine({ stdout, ended }: Running): Promise<string> {
  let early: Ended | undefined;
  ended.then(
    (end) => {
      early = end;
    },
    () => {
      // Whoever waits for the end is told.
    },
  );
  for (const began = performance.now(); performance.now() - began < LONGEST_START; await sleep(50)) {
    const [line, rest] = stdout().split('\n', 2);
    if (line !== undefined && rest !== undefined) return line;
    if (early !== undefined) throw new Error(`the app ended with ${early.status}: ${early.stderr}`);
  }
  throw new Error('the app does not say where it listens');
}
