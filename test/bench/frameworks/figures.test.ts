import { expect } from 'chai';
import { comparisons, goalTable, type Measurement, nginxTables, waysTable } from '../../../bench/frameworks/figures.js';
import type { Request, Subject } from '../../../bench/frameworks/subjects.js';
import { loadOf } from '../../../bench/load.js';
import { kilobytes } from '../../../bench/scratch.js';

const BODY = kilobytes(10);

function measurement(
  name: string,
  protocol: Subject['protocol'],
  cpu: Readonly<Record<string, readonly number[]>>,
  goal?: number,
): Measurement {
  const request: Request = { body: BODY, label: '10 KB', isFile: true, goal };
  const samples = Object.entries(cpu).map(([contender, all]) => {
    const of = all.map((cpuMicroseconds) => ({
      cpuMicroseconds,
      requestsPerSecond: 1,
      megabytesPerSecond: 1,
      busy: 1,
    }));
    return [contender, of] as const;
  });
  const load = loadOf({ x: BODY.bytes, label: `${name}, 10 KB`, body: BODY, connections: 8 });
  return {
    subject: { name, app: 'bare', protocol, requests: [request] },
    request,
    measured: { load, samples: new Map(samples) },
  };
}

const MEASURED: readonly Measurement[] = [
  measurement('bare', 'http', { stock: [100, 110, 90], tuned: [40, 41, 39], nginx: [10, 11, 9] }, 0.4),
  measurement('Express', 'http', { stock: [200, 210, 190], tuned: [180, 182, 178] }, 0.62),
  measurement('Hono', 'http', { stock: [200, 210, 190], tuned: [180, 182, 178] }),
  measurement('bare', 'https', { stock: [100, 110, 90], tuned: [40, 41, 39] }, 0.7),
];

describe('the figures of frameworks', () => {
  it('stand beside their goals, where there is one', () => {
    expect(goalTable(MEASURED).rows).to.deep.equal([
      ['bare, 10 KB', 100, 40, 0.4, '<= 0.4: reached'],
      ['Express, 10 KB', 200, 180, 0.9, '<= 0.62: MISSED'],
      ['Hono, 10 KB', 200, 180, 0.9, ''],
      ['bare, 10 KB', 100, 40, 0.4, '<= 0.7: reached'],
    ]);
  });

  it('have nginx beside them where it took part, and no table without it', () => {
    expect(nginxTables(MEASURED).map(({ rows }) => rows)).to.deep.equal([[['bare, 10 KB', 40, 10, 4, '<= 3: MISSED']]]);
    expect(nginxTables(MEASURED.slice(1))).to.deep.equal([]);
  });

  it('are bars of all apps for each body and protocol', () => {
    const [http, https, ...others] = comparisons(MEASURED);
    expect(others).to.deep.equal([]);
    expect([http?.id, https?.id]).to.deep.equal(['frameworks-cpu-10k', 'frameworks-cpu-https-10k']);
    const places = http?.series.map(({ contender, points }) => [contender, ...points.map(({ x }) => x)]);
    expect(places).to.deep.equal([
      ['stock', 'bare', 'Express', 'Hono'],
      ['tuned', 'bare', 'Express', 'Hono'],
      ['nginx', 'bare'],
    ]);
    expect(http?.series[1]?.points[1]?.samples).to.deep.equal([180, 182, 178]);
  });

  it('name an app that reported nothing', () => {
    const files = {
      reroutedStreams: 5,
      sendfileBytes: 0,
      copiedBytes: {},
      notRerouted: { compressed: 1, 'not-a-socket': 2 },
      truncatedFiles: 0,
      inlineCalls: { stat: 3, open: 4 },
      pooledCalls: { 'unknown-filesystem': 1 },
    };
    expect(
      waysTable(
        new Map([
          ['bare', files],
          ['Next', undefined],
        ]),
      ).rows,
    ).to.deep.equal([['bare', 5, 3, 7, 1], ['Next']]);
  });
});
