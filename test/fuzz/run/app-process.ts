import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Report } from '../../../src/report/report.js';
import { patiently } from './patience.js';

/** Seconds for an app to end. */
const PATIENCE = 30;

/** Where the package is built: four levels above build/test/fuzz/run/. */
const register = pathToFileURL(join(import.meta.dirname, '../../../../dist/register.js')).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly report: Report | undefined;
}

interface Message {
  readonly type: string;
}

/** What every app is told when all is done. */
export interface Stop {
  readonly type: 'stop';
}

/** The process of an app, stock or tuned, that is told by messages what to do. */
export class AppProcess<From extends Message, To extends Message> {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #messages = new EventEmitter();
  readonly #died: Promise<never>;
  #stderr = '';

  /** @param settings of socket-tune, by the names of their environment variables */
  constructor(
    program: string,
    directory: string,
    isTuned: boolean,
    settings: Readonly<Record<`SOCKET_TUNE_${string}`, string>> = {},
  ) {
    const reportTo = join(directory, 'report.json');
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_)/.test(name));
    this.#messages.setMaxListeners(0);
    this.#child = fork(program, [directory], {
      execArgv: isTuned ? ['--import', register] : [],
      env: { ...Object.fromEntries(inherited), ...settings, SOCKET_TUNE_REPORT: reportTo },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.on('message', (message: From) => this.#messages.emit(message.type, message));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        const report = existsSync(reportTo) ? (JSON.parse(readFileSync(reportTo, 'utf8')) as Report) : undefined;
        resolve({ code, signal, stderr: this.#stderr, report });
      });
    });
    this.#died = this.ended.then(({ code, signal, stderr }) => {
      throw new Error(`the app ended with ${signal ?? code}: ${stderr}`);
    });
    // Whoever waits for the app hears of it.
    this.#died.catch(() => undefined);
  }

  tell(message: To | Stop): void {
    // Who waits for the answer gets the error that the app has ended.
    this.#child.send(message, () => undefined);
  }

  /** @returns a function that listens no more */
  on<Type extends From['type']>(type: Type, listener: (message: Extract<From, { type: Type }>) => void): () => void {
    this.#messages.on(type, listener);
    return () => this.#messages.off(type, listener);
  }

  /** The next message that is the one. Rejects if the app ends before. */
  next<Type extends From['type']>(
    type: Type,
    isIt: (message: Extract<From, { type: Type }>) => boolean,
  ): Promise<Extract<From, { type: Type }>> {
    const message = new Promise<Extract<From, { type: Type }>>((resolve) => {
      const off = this.on(type, (candidate) => {
        if (!isIt(candidate)) return;
        off();
        resolve(candidate);
      });
    });
    const next = Promise.race([message, this.#died]);
    // Nobody may wait for it yet.
    next.catch(() => undefined);
    return next;
  }

  /** An app that does not end by itself is killed, and that is how it has ended. */
  stop(): Promise<Ended> {
    this.tell({ type: 'stop' });
    return patiently(
      this.ended,
      PATIENCE,
      () => 'the app goes on',
      () => {
        this.kill();
        return this.ended;
      },
    );
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
