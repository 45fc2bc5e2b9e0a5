// npm run test:fuzz:splice -- [--seconds N] [--seed N] [--session N] [--stock] [--all]

import type { Report } from '../../../src/report/report.js';
import { type Run, runFuzzer } from '../run/fuzz.js';
import { generate } from './generate.js';
import { judge } from './judge.js';
import { openPeers, type Peers } from './peers.js';
import type { LinePlan, SessionPlan } from './plan.js';
import { type ProxiedLine, ProxyProcess } from './proxy-process.js';

/** A run with so many sessions must have spliced something. */
const TELLING_SESSIONS = 20;

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

class SpliceRun implements Run<SessionPlan> {
  readonly #proxy: ProxyProcess;
  readonly #directory: string;
  #lines = 0;
  #acts = 0;
  #bytes = 0;

  constructor(directory: string, isTuned: boolean) {
    this.#directory = directory;
    this.#proxy = new ProxyProcess(directory, isTuned);
  }

  get app(): ProxyProcess['app'] {
    return this.#proxy.app;
  }

  async play(turn: number, plan: SessionPlan): Promise<readonly string[]> {
    const opening = plan.lines.map(async (line, index) => ({
      line,
      peers: await openPeers(line, this.#directory, `${turn}-${index}`),
    }));
    const opened = await Promise.all(opening);
    const places = opened.map(({ peers }) => peers.places);
    const proxied = await this.#proxy.prepare(turn, plan, places);
    const problems = opened.map(async ({ line, peers }, index) => {
      const one = proxied[index];
      if (one === undefined) throw new Error(`no line ${index}`);
      return (await this.#playLine(line, peers, one)).map((problem) => `line ${index}: ${problem}`);
    });
    return (await Promise.all(problems)).flat();
  }

  async #playLine(plan: LinePlan, peers: Peers, { place, closed, abandon }: ProxiedLine): Promise<string[]> {
    const hang = await peers.run(place, closed);
    const record = await (hang === undefined ? closed : abandon());
    peers.close();
    this.#lines++;
    this.#acts += record.acts;
    this.#bytes += peers.back.length + peers.received.reduce((sum, { length }) => sum + length, 0);
    return judge(plan, peers, record, hang);
  }

  sums(): string {
    return `${this.#lines} lines, ${this.#acts} acts, ${megabytes(this.#bytes)}`;
  }

  judge({ splices }: Report, sessions: number): ReturnType<Run<SessionPlan>['judge']> {
    const isTooLittle = sessions >= TELLING_SESSIONS && splices.bytes < this.#bytes / 20;
    return {
      figures: `${megabytes(splices.bytes)} by splice`,
      problems: isTooLittle ? ['hardly anything was spliced'] : [],
    };
  }
}

await runFuzzer({
  script: 'test:fuzz:splice',
  about: 'Pipes sockets into each other in random ways, and compares every byte with what must have come.',
  defaults: { seconds: 20, lanes: 4 },
  generate,
  start: (directory, isTuned) => new SpliceRun(directory, isTuned),
});
