import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../../src/report/report.js';
import { PATIENCE_MS } from '../until.js';
import { scratchProject, writeApp } from './scratch-project.js';

/** The ways in which people load the preload. */
export const BY_IMPORT = ['--import', 'socket-tune/register'] as const;
export const BY_REQUIRE = ['-r', 'socket-tune/register'] as const;

export interface NodeOptions {
  /** Added to the environment of the tests, without its variables for Node and socket-tune. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program that runs Node, with its arguments, such as strace. */
  readonly under?: readonly string[];
  /** Milliseconds after which the process is taken for hung. */
  readonly timeout?: number;
}

/** A process that has ended. */
export interface EndedProcess {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What socket-tune reports of it; undefined if it reports nothing. */
  readonly report: Report | undefined;
}

/** A process that runs. */
export interface NodeProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<EndedProcess>;
  /** Wait for a text on standard output. Fails if the process ends without it. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

let reports = 0;

function environment(env: NodeOptions['env'], reportTo: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_|NPM_|npm_)/.test(name));
  return { ...Object.fromEntries(inherited), SOCKET_TUNE_REPORT: reportTo, ...env };
}

/** The report of a process, if it wrote one. In `SOCKET_TUNE_REPORT`, `%p` stands for the process. */
export function readReport(file: string): Report | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
}

/** A name for a file that a process reports to. */
export function reportFile(): string {
  return join(scratchProject(), `report-${reports++}.json`);
}

const running = new Set<ChildProcess>();

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}

process.once('exit', () => {
  for (const child of running) killGroup(child);
});

/** Start Node, the one that runs the tests, in the scratch project. */
export function startNode(
  args: readonly string[],
  { env, under = [], timeout = PATIENCE_MS }: NodeOptions = {},
): NodeProcess {
  const file = reportFile();
  const [program = process.execPath, ...rest] = [...under, process.execPath, ...args];
  const child = spawn(program, rest, {
    cwd: scratchProject(),
    env: environment(env, file),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own, so that its child processes can be ended with it.
    detached: true,
  });
  running.add(child);
  child.stdin.end();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<EndedProcess>((resolve, reject) => {
    const timer = setTimeout(() => {
      killGroup(child);
      reject(new Error(`${args.join(' ')} has not ended after ${timeout} ms\n${stdout}\n${stderr}`));
    }, timeout);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      // A process that is killed may have written a part of its report.
      const report = signal === 'SIGKILL' ? undefined : readReport(file);
      resolve({ code, signal, stdout, stderr, report });
    });
  });
  // Who waits for it gets the error. A test that has failed before does not wait any more.
  ended.catch(() => undefined);
  return {
    child,
    ended,
    until: (pattern) =>
      untilOutput(
        child,
        pattern,
        () => stdout,
        () => stderr,
      ),
  };
}

function untilOutput(
  child: ChildProcess,
  pattern: RegExp,
  stdout: () => string,
  stderr: () => string,
): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(stdout());
      if (match !== null) resolve(match);
    };
    child.stdout?.on('data', look);
    child.once('close', () => reject(new Error(`ended without ${pattern}\n${stdout()}\n${stderr()}`)));
    look();
  });
}

let apps = 0;

export interface AppOptions extends NodeOptions {
  /** How the preload is loaded; by `--import` unless said otherwise. */
  readonly preload?: readonly string[];
  readonly args?: readonly string[];
}

/** Start an application, written as it stands into the scratch project, under the preload. */
export function startApp(
  type: 'mjs' | 'cjs',
  source: string,
  { preload = BY_IMPORT, args = [], ...options }: AppOptions = {},
): NodeProcess {
  return startNode([...preload, writeApp(`app-${apps++}.${type}`, source), ...args], options);
}

/** Run an application to its end. */
export function runApp(type: 'mjs' | 'cjs', source: string, options?: AppOptions): Promise<EndedProcess> {
  return startApp(type, source, options).ended;
}

/** Run Node to its end. */
export function runNode(args: readonly string[], options?: NodeOptions): Promise<EndedProcess> {
  return startNode(args, options).ended;
}
