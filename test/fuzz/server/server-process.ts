import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Report } from '../../../src/report/report.js';
import type { Session } from '../session/program.js';
import type { FromServer, Places, Served, ToServer } from './messages.js';

/** Where the package is built: four levels above build/test/fuzz/server/. */
const register = pathToFileURL(join(import.meta.dirname, '../../../../dist/register.js')).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly report: Report | undefined;
}

type Message<Type extends FromServer['type']> = Extract<FromServer, { type: Type }>;

/** The process that serves the sessions. */
export class ServerProcess {
  readonly ended: Promise<Ended>;
  readonly places: Promise<Places>;
  readonly #child: ChildProcess;
  readonly #messages = new EventEmitter();
  readonly #died: Promise<never>;
  #stderr = '';

  constructor(directory: string, isTuned: boolean) {
    const reportTo = join(directory, 'report.json');
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_)/.test(name));
    this.#messages.setMaxListeners(0);
    this.#child = fork(join(import.meta.dirname, 'server.js'), [directory], {
      execArgv: isTuned ? ['--import', register] : [],
      env: { ...Object.fromEntries(inherited), SOCKET_TUNE_REPORT: reportTo },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.on('message', ({ type, ...message }: FromServer) => this.#messages.emit(type, message));
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        const report = existsSync(reportTo) ? (JSON.parse(readFileSync(reportTo, 'utf8')) as Report) : undefined;
        resolve({ code, signal, stderr: this.#stderr, report });
      });
    });
    this.#died = this.ended.then(({ code, signal, stderr }) => {
      throw new Error(`the server ended with ${signal ?? code}: ${stderr}`);
    });
    // Whoever waits for the server hears of it.
    this.#died.catch(() => undefined);
    this.places = this.#next('listening', () => true).then(({ places }) => places);
  }

  async prepare(number: number, directory: string, session: Session): Promise<void> {
    const ready = this.#next('ready', (message) => message.number === number);
    this.#tell({ type: 'session', number, directory, session });
    await ready;
  }

  async finish(number: number): Promise<Served> {
    const finished = this.#next('finished', (message) => message.number === number);
    this.#tell({ type: 'finish', number });
    return (await finished).served;
  }

  /** @returns a function that listens no more */
  on<Type extends FromServer['type']>(type: Type, listener: (message: Message<Type>) => void): () => void {
    this.#messages.on(type, listener);
    return () => this.#messages.off(type, listener);
  }

  stop(): Promise<Ended> {
    this.#tell({ type: 'stop' });
    return this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToServer): void {
    // Who waits for the answer gets the error that the server has ended.
    this.#child.send(message, () => undefined);
  }

  #next<Type extends FromServer['type']>(
    type: Type,
    isIt: (message: Message<Type>) => boolean,
  ): Promise<Message<Type>> {
    const message = new Promise<Message<Type>>((resolve) => {
      const off = this.on(type, (candidate) => {
        if (!isIt(candidate)) return;
        off();
        resolve(candidate);
      });
    });
    return Promise.race([message, this.#died]);
  }
}
