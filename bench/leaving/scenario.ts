import { join } from 'node:path';
import { hasProgram } from '../machine.js';
import type { Cell, Effort, Result, Scenario } from '../scenario.js';
import { withScratch } from '../scratch.js';
import { http1, http2 } from './client.js';
import { type Amount, type Outcome, restartBehind, rollOut, type Subject } from './rollout.js';

const DRAIN = { SOCKET_TUNE_DRAIN: '6s' } as const;

/** Taken off the list of servers so late, in milliseconds. */
const LATE = 2000;

/** It goes on accepting for longer than that. */
const DELAYED = { ...DRAIN, SOCKET_TUNE_DRAIN_DELAY: '2500ms' } as const;

const SUBJECTS: readonly Omit<Subject, 'variables'>[] = [
  { kind: 'http', hasHandler: false, client: http1 },
  { kind: 'http', hasHandler: true, client: http1 },
  { kind: 'express', hasHandler: true, client: http1 },
  { kind: 'fastify', hasHandler: true, client: http1 },
  { kind: 'http2', hasHandler: false, client: http2 },
  { kind: 'http2', hasHandler: true, client: http2 },
  { kind: 'cluster', hasHandler: false, client: http1 },
  { kind: 'cluster', hasHandler: true, client: http1 },
];

function row(name: string, way: string, outcome: Outcome): Cell[] {
  const { answered, lost, failed, returned, refused, ends, longest } = outcome;
  const counts = new Map<string, number>();
  for (const end of ends) counts.set(end, (counts.get(end) ?? 0) + 1);
  const ended = Array.from(counts, ([end, times]) => `${times} × ${end}`).join(', ');
  return [name, way, answered, lost, failed, returned, refused, longest.toFixed(1), ended];
}

async function rowsOf(subject: Omit<Subject, 'variables'>, amount: Amount, scratch: string): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  const kind = `${subject.kind}${subject.hasHandler ? ', the app closes it' : ''}`;
  for (const [name, variables] of [
    ['stock', undefined],
    ['DRAIN', DRAIN],
  ] as const) {
    const tuned: Subject = variables === undefined ? subject : { ...subject, variables };
    rows.push(row(`${kind}: ${name}`, 'direct', await rollOut(tuned, 0, amount)));
    if (subject.client !== http1) continue;
    for (const proxy of ['nginx', 'haproxy'] as const) {
      if (!hasProgram(proxy)) continue;
      const directory = join(scratch, `${kind}-${name}-${proxy}`.replaceAll(/\W+/g, '-'));
      rows.push(row(`${kind}: ${name}`, proxy, await restartBehind(proxy, tuned, amount, directory)));
    }
  }
  return rows;
}

function run({ quick }: Effort): Promise<Result> {
  const amount = quick ? { restarts: 2, least: 2000 } : { restarts: 10, least: 20_000 };
  return withScratch(async (scratch) => {
    const rows: Cell[][] = [];
    for (const subject of SUBJECTS) rows.push(...(await rowsOf(subject, amount, scratch)));
    const late: Subject = { kind: 'http', hasHandler: false, client: http1 };
    rows.push(row('http: stock', 'off the list 2 s late', await rollOut(late, LATE, amount)));
    const delayed = { ...late, variables: DELAYED };
    rows.push(row('http: DRAIN, DRAIN_DELAY', 'off the list 2 s late', await rollOut(delayed, LATE, amount)));
    return {
      tables: [
        {
          title: `Requests of 50 clients with keep-alive during ${amount.restarts} restarts by SIGTERM`,
          columns: [
            '',
            'way',
            'answered',
            'lost',
            '5xx',
            'returned (http2)',
            'not connected',
            'slowest end, s',
            'ended by',
          ],
          rows,
        },
      ],
      notes: [
        'the clients repeat nothing; a request that was sent and not answered is lost',
        'SIGKILL comes 8 s after SIGTERM',
        'Fastify answers 503 from the moment on when its app closes it',
      ],
    };
  });
}

export const leavingScenario: Scenario = {
  name: 'drain',
  what: 'requests that rolling restarts lose',
  onlyByName: true,
  run,
};
