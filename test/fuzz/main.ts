// npm run test:fuzz -- [--seconds N] [--seed N] [--session N] [--stock] [--all]

import { join } from 'node:path';
import type { Report } from '../../src/report/report.js';
import { type Run, runFuzzer } from './run/fuzz.js';
import { runSession } from './run-session.js';
import { ServerProcess } from './server/server-process.js';
import { generate } from './session/generate.js';
import type { Session } from './session/program.js';

/** A run with so many sessions must reroute something in at least this share of those with files. */
const TELLING_SESSIONS = 50;
const LEAST_SHARE = 0.5;

class ServerRun implements Run<Session> {
  readonly #server: ServerProcess;
  readonly #directory: string;
  readonly #isTuned: boolean;
  #bytes = 0;
  #streams = 0;
  #withFiles = 0;
  #rerouted = 0;

  constructor(directory: string, isTuned: boolean) {
    this.#directory = directory;
    this.#isTuned = isTuned;
    this.#server = new ServerProcess(directory, isTuned);
  }

  get app(): ServerProcess['app'] {
    return this.#server.app;
  }

  async play(turn: number, session: Session): Promise<readonly string[]> {
    // A session that is run again has a place of its own.
    const base = join(this.#directory, String(turn));
    const { problems, bytes, streams, routes } = await runSession(this.#server, turn, session, base, this.#isTuned);
    this.#bytes += bytes;
    this.#streams += streams;
    if (streams > 0) this.#withFiles++;
    const { sendfile = 0, copied = 0 } = routes;
    if (sendfile + copied > 0) this.#rerouted++;
    return problems;
  }

  sums(): string {
    return `${(this.#bytes / 1e6).toFixed(1)} MB, ${this.#streams} file streams`;
  }

  judge({ files }: Report, sessions: number): ReturnType<Run<Session>['judge']> {
    const { reroutedStreams, sendfileBytes, copiedBytes, notRerouted } = files;
    const isTooLittle = sessions >= TELLING_SESSIONS && this.#rerouted < this.#withFiles * LEAST_SHARE;
    return {
      figures: `${reroutedStreams} streams rerouted, in ${this.#rerouted} of ${this.#withFiles} sessions with files; ${sendfileBytes} bytes by sendfile, copied ${JSON.stringify(copiedBytes)}, not rerouted ${JSON.stringify(notRerouted)}`,
      problems: isTooLittle ? ['hardly anything was rerouted'] : [],
    };
  }
}

await runFuzzer({
  script: 'test:fuzz',
  about: 'Serves random sessions, and compares every byte with what must have come.',
  // Some sessions wait for a slow reader, and bytes of one must never reach another.
  defaults: { seconds: 60, lanes: 8 },
  generate,
  start: (directory, isTuned) => new ServerRun(directory, isTuned),
});
