import { byKey, type MetricRow, single } from './row.js';

export const SPLICE_METRICS: readonly MetricRow[] = [
  {
    type: 'counter',
    name: 'spliced_pairs_total',
    instrument: 'splices.pairs',
    unit: '{pair}',
    help: 'Sockets piped to sockets of which some bytes went by splice(2).',
    labels: [],
    samples: single(({ splices }) => splices.pairs),
  },
  {
    type: 'counter',
    name: 'spliced_bytes_total',
    instrument: 'splices.moved',
    unit: 'By',
    help: 'Bytes from socket to socket by splice(2).',
    labels: [],
    samples: single(({ splices }) => splices.bytes),
  },
  {
    type: 'counter',
    name: 'not_spliced_total',
    instrument: 'splices.not_spliced',
    unit: '{pair}',
    help: 'Piped sockets whose bulk data took Node’s own path, by reason.',
    labels: ['reason'],
    samples: byKey('reason', ({ splices }) => splices.notSpliced),
  },
];
