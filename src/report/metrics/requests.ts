import { type MetricRow, single } from './row.js';

function asNumber(is: boolean | undefined): number | undefined {
  return is === undefined ? undefined : Number(is);
}

export const REQUEST_METRICS: readonly MetricRow[] = [
  {
    type: 'counter',
    name: 'idle_closed_connections_total',
    instrument: 'requests.idle_closed',
    unit: '{connection}',
    help: 'Connections that were closed as nothing had come for the keep-alive time.',
    labels: [],
    samples: single(({ requests }) => requests.idleClosed),
  },
  {
    type: 'gauge',
    name: 'draining',
    instrument: 'requests.draining',
    unit: '1',
    help: '1 while the process is on its way out.',
    labels: [],
    samples: single(({ requests }) => asNumber(requests.draining)),
  },
  {
    type: 'counter',
    name: 'cut_connections_total',
    instrument: 'requests.cut_connections',
    unit: '{connection}',
    help: 'Connections that were still open when the time of a drain was over.',
    labels: [],
    samples: single(({ requests }) => requests.cutConnections),
  },
  {
    type: 'counter',
    name: 'unanswered_requests_total',
    instrument: 'requests.unanswered',
    unit: '{request}',
    help: 'Requests that were on their way when the time of a drain was over.',
    labels: [],
    samples: single(({ requests }) => requests.unanswered),
  },
];
