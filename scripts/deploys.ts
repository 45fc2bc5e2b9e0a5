// What the kept run of the scenarios `drain`, `drain-proxies` and `drain-clusters` says: a table of docs/requests.md, and a chart of the README's picture.

import { markdownTable } from 'markdown-table';
import { findComparison } from '../bench/page/headline.js';
import { numberLabel } from '../bench/page/label.js';
import type { Results } from '../bench/results.js';
import type { Cell, Comparison } from '../bench/scenario.js';

const SCENARIOS = ['drain', 'drain-proxies', 'drain-clusters'] as const;

/** In the picture: what most people run, and its name for people. See bench/leaving/lanes.ts. */
const PICTURED: Readonly<Record<string, string>> = {
  express: 'Express',
  fastify: 'Fastify',
  'h2, TLS': 'http2',
  'http, nginx, 2 upstreams': 'two servers behind nginx',
  'http, pm2 reload': 'two workers of pm2, reloaded',
};

interface Tally {
  readonly answered: number;
  readonly lost: number;
  readonly failed: number;
  /** Connections that nobody has accepted. */
  readonly refused: number;
  readonly slowest: number;
}

/** See the columns of bench/leaving/scenario.ts. */
function tallyOf([, , answered, lost, failed, , , refused, slowest]: readonly Cell[]): Tally {
  return {
    answered: Number(answered),
    lost: Number(lost),
    failed: Number(failed),
    refused: Number(refused),
    slowest: Number(slowest),
  };
}

function lostText({ answered, lost, failed, refused }: Tally): string {
  const parts = [
    String(lost),
    ...(failed === 0 ? [] : [`${numberLabel(failed)} × 5xx`]),
    ...(refused === 0 ? [] : [`${numberLabel(refused)} × not connected`]),
  ];
  return `${parts.join(', ')}; ${numberLabel(answered)} answered`;
}

/** Requests lost by each server, stock and with DRAIN. */
export function deploysTable(results: Results): string {
  const rows = SCENARIOS.flatMap((name) => {
    const found = results.scenarios.find((scenario) => scenario.name === name);
    return found?.tables[0]?.rows ?? [];
  });
  const servers = [...new Set(rows.map(([server]) => server))];
  const lines = servers.map((server) => {
    const own = rows.filter(([other]) => other === server);
    const [stock, tuned] = [false, true].map((drains) => own.find(([, how]) => (how !== 'stock') === drains));
    if (stock === undefined || tuned === undefined) throw new Error(`no pair of runs of ${server}`);
    const [before, after] = [tallyOf(stock), tallyOf(tuned)];
    return [String(server), lostText(before), lostText(after), `${after.slowest} s`];
  });
  return markdownTable([['server', 'stock: lost', '`DRAIN`: lost', 'slowest end'], ...lines], {
    align: ['l', 'r', 'r', 'r'],
  });
}

/** The chart of the README's picture. */
export function lostAtDeploys(results: Results): Comparison {
  const all = SCENARIOS.flatMap((name) => findComparison(results, `${name}-lost`) ?? []);
  const [first] = all;
  if (first === undefined) throw new Error('the results have no restarts');
  const series = first.series.map(({ contender }) => ({
    contender,
    points: Object.entries(PICTURED).flatMap(([lane, name]) => {
      const points = all.flatMap((one) => one.series.filter((other) => other.contender === contender));
      const point = points.flatMap((one) => one.points).find(({ x }) => x === lane);
      return point === undefined ? [] : [{ ...point, x: name }];
    }),
  }));
  return { ...first, title: 'Requests of 50 clients that fail when a server is restarted', series };
}
