import type { Results, ScenarioResult } from '../../bench/results.js';
import type { Comparison, Point } from '../../bench/scenario.js';

/** Rounds about a value, the same at every run. */
function rounds(value: number, count = 5): number[] {
  return Array.from({ length: count }, (_, round) =>
    Number((value * (1 + 0.06 * Math.sin(round * 2.4))).toPrecision(6)),
  );
}

export const HOSTILE = '<img src=x onerror=alert(1)>';

const KB = 1024;
const SIZES = [1, 10, 100, KB, 10 * KB, 100 * KB, KB * KB].map((size) => size * KB);

/** Microseconds of a request, and of each kilobyte. */
const COSTS: Readonly<Record<string, readonly [number, number]>> = {
  stock: [48, 0.48],
  'stock 1 MiB': [50, 0.31],
  'in memory': [21, 0.22],
  tuned: [24, 0.085],
  'C loop': [5, 0.08],
  nginx: [7, 0.081],
  Bun: [9, 0.12],
};

function costs(of: (cost: number, size: number) => number): Comparison['series'] {
  return Object.entries(COSTS).map(([contender, [request, kilobyte]]) => ({
    contender,
    points: SIZES.map((x) => ({ x, samples: rounds(of(request + (kilobyte * x) / KB, x)) })),
  }));
}

const COMMON = {
  what: 'One sentence for people who know nothing of us.',
  xTitle: 'size of the file, in bytes',
} as const;

export const FILES_CPU: Comparison = {
  ...COMMON,
  id: 'files-cpu',
  title: 'CPU time of a request, by the size of the file',
  unit: 'µs of CPU a request',
  better: 'lower',
  kind: 'curve',
  xScale: 'log',
  yScale: 'log',
  series: costs((cost) => cost),
};

const THROUGHPUT: Comparison = {
  ...FILES_CPU,
  id: 'files-throughput',
  title: 'Throughput, by the size of the file',
  unit: 'MB/s',
  better: 'higher',
  series: costs((cost, size) => size / cost),
};

function bars(
  id: string,
  series: Readonly<Record<string, readonly Point[]>>,
  more: Partial<Comparison> = {},
): Comparison {
  return {
    id,
    title: `Bars of ${id}`,
    what: COMMON.what,
    unit: 'ms',
    better: 'lower',
    kind: 'bars',
    xTitle: 'round trip, rate',
    series: Object.entries(series).map(([contender, points]) => ({ contender, points })),
    ...more,
  };
}

const point = (x: string | number, value: number, count = 5): Point => ({ x, samples: rounds(value, count) });
const PATHS = ['1 ms, 1 Gbit/s', '40 ms, 1 Gbit/s', '100 ms, 10 Mbit/s', '40 ms, 100 Mbit/s, 1 % lost, bbr'] as const;
const paths = (speeds: readonly number[]): Point[] => PATHS.map((path, index) => point(path, speeds[index] ?? 1));

/** What a page must bear: long names, points that are missing, a single round, six orders of magnitude, no number at all. */
const ODD: readonly Comparison[] = [
  bars('nine', {
    ...Object.fromEntries(
      [
        'node',
        'node --import socket-tune/register',
        'a contender whose name does not end',
        'b',
        'c',
        'd',
        'e',
        'f',
      ].map((name, index) => [name, [point('only', 30 + index)]]),
    ),
    [HOSTILE]: [point('only', 44, 1)],
  }),
  bars('orders', {
    stock: [point('tiny', 0.0031), point('small', 40), point('huge', 5_300_000)],
    tuned: [point('tiny', 0.0029), point('huge', 310_000, 1)],
    nginx: [point('small', 0.04)],
  }),
  bars(
    'paths',
    {
      stock: paths([910, 700, 9.4, 31]),
      default: paths([920, 720, 9.5, 24]),
      lowlatency: paths([900, 730, 9.4, 30]),
      highthroughput: paths([915, 790, 9.4, 32]),
    },
    { unit: 'Mbit/s', better: 'higher' },
  ),
  bars('sizes', {
    stock: [point('10 KB', 0.05), point('1 MB', 5), point('100 MB', 520)],
    tuned: [point('10 KB', 0.02), point('1 MB', 1), point('100 MB', 90)],
  }),
  bars('nothing', { stock: [{ x: 'here', samples: [] }], tuned: [{ x: 'here', samples: [Number.NaN] }] }),
  bars('zero', { stock: [point('here', 0)], tuned: [point('here', 0)] }),
  {
    ...FILES_CPU,
    id: 'readers',
    title: 'Memory of a server, by clients that do not read',
    unit: 'MB (PSS)',
    xTitle: 'clients that do not read',
    xScale: 'linear',
    yScale: 'linear',
    series: Object.keys(COSTS).map((contender, index) => ({
      contender,
      points: [0, 1, 10, 50, 200].slice(index === 2 ? 3 : 0).map((x) => point(x, 45 + index * 4 + x * 0.02 * index, 3)),
    })),
  },
];

function scenario(
  name: string,
  comparisons: readonly Comparison[],
  rest: Partial<ScenarioResult> = {},
): ScenarioResult {
  return {
    name,
    what: `what ${name} is about`,
    seconds: 12,
    tables: [],
    comparisons,
    notes: [`a note of ${name}`],
    ...rest,
  };
}

/** A run that never was. */
export function sampleResults(): Results {
  const results: Results = {
    version: '1.2.3',
    date: '2026-11-27T01:02:03.456Z',
    quick: false,
    seconds: 1102,
    machine: {
      kernel: '6.18.0',
      node: 'v20.20.2',
      cpu: 'A Processor (R) @ 2.40GHz',
      cores: 2,
      memoryGigabytes: 7.8,
      isVirtual: true,
      isPinned: true,
      loadAverage: 0.12,
      nginx: '1.26.3',
      sysctls: { 'net.core.somaxconn': '4096', 'net.ipv4.tcp_rmem': '4096 131072 6291456' },
    },
    scenarios: [
      scenario('files', [FILES_CPU, THROUGHPUT], {
        tables: [
          {
            title: 'Server CPU, tuned/stock',
            columns: ['body', 'tuned/stock', 'goal'],
            rows: [
              ['10 KB', 0.5, '<= 0.33: MISSED'],
              ['1 MB', 0.2, '<= 0.33: reached'],
              ['1 GB', 'too noisy', '<= 0.33: too noisy (medians say above 1, 1.1; rounds say below 1, 0.9)'],
              ['2 GB', undefined, ''],
            ],
          },
        ],
      }),
      scenario('odd', ODD),
    ],
    failed: [{ name: 'cold', message: 'the disk <is> gone' }],
  };
  // As it comes out of a file.
  return JSON.parse(JSON.stringify(results));
}
