import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Report } from '../../../src/report/report.js';
import type { FromProxy, LineRecord, Place, ToProxy } from './messages.js';
import type { SessionPlan } from './plan.js';

/** Where the package is built: four levels above build/test/fuzz/splice/. */
const register = pathToFileURL(join(import.meta.dirname, '../../../../dist/register.js')).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly report: Report | undefined;
}

/** The process of the proxy. */
export class ProxyProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #messages = new EventEmitter();
  readonly #died: Promise<never>;
  #stderr = '';

  constructor(directory: string, isTuned: boolean) {
    const reportTo = join(directory, 'report.json');
    const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SOCKET_TUNE|NODE_)/.test(name));
    const settings = isTuned ? { SOCKET_TUNE_SPLICE: 'auto', SOCKET_TUNE_REPORT: reportTo } : {};
    this.#messages.setMaxListeners(0);
    this.#child = fork(join(import.meta.dirname, 'proxy.js'), [directory], {
      execArgv: isTuned ? ['--import', register] : [],
      env: { ...Object.fromEntries(inherited), ...settings },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child.on('message', (message: FromProxy) =>
      this.#messages.emit(`${message.type} ${message.number}`, message),
    );
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        const report = existsSync(reportTo) ? (JSON.parse(readFileSync(reportTo, 'utf8')) as Report) : undefined;
        resolve({ code, signal, stderr: this.#stderr, report });
      });
    });
    this.#died = this.ended.then(({ code, signal, stderr }) => {
      throw new Error(`the proxy ended with ${signal ?? code}: ${stderr}`);
    });
    // Whoever waits for the proxy hears of it.
    this.#died.catch(() => undefined);
  }

  /** Returns where the sources listen, by line. */
  async begin(number: number, plan: SessionPlan, receivers: readonly (readonly Place[])[]): Promise<readonly Place[]> {
    const { places } = await this.#ask<'ready'>('ready', { type: 'session', number, plan, receivers });
    return places;
  }

  async finish(number: number): Promise<readonly LineRecord[]> {
    const { lines } = await this.#ask<'finished'>('finished', { type: 'finish', number });
    return lines;
  }

  stop(): Promise<Ended> {
    this.#child.send({ type: 'stop' } satisfies ToProxy, () => undefined);
    return this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask<Type extends FromProxy['type']>(
    type: Type,
    message: Exclude<ToProxy, { type: 'stop' }>,
  ): Promise<Extract<FromProxy, { type: Type }>> {
    const answer = once(this.#messages, `${type} ${message.number}`);
    // Who waits for the answer gets the error that the proxy has ended.
    this.#child.send(message, () => undefined);
    const [told] = await Promise.race([answer, this.#died]);
    return told as Extract<FromProxy, { type: Type }>;
  }
}
