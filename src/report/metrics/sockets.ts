import { type MetricRow, single } from './row.js';

export const SOCKET_METRICS: readonly MetricRow[] = [
  {
    type: 'counter',
    name: 'connections_total',
    instrument: undefined,
    unit: '{connection}',
    help: 'Connections accepted by tuned listeners.',
    labels: [],
    samples: single(({ connections }) => connections),
  },
  {
    type: 'counter',
    name: 'outgoing_sockets_total',
    instrument: 'outgoing_sockets',
    unit: '{socket}',
    help: 'Outgoing sockets that were tuned.',
    labels: [],
    samples: single(({ outgoing }) => outgoing.sockets),
  },
  {
    type: 'counter',
    name: 'udp_sockets_total',
    instrument: 'udp_sockets',
    unit: '{socket}',
    help: 'UDP sockets that were tuned.',
    labels: [],
    samples: single(({ datagrams }) => datagrams.sockets),
  },
  {
    type: 'counter',
    name: 'quick_acks_total',
    instrument: 'quick_acks',
    unit: '{time}',
    help: 'Times TCP_QUICKACK was armed again.',
    labels: [],
    samples: single(({ quickAcks }) => quickAcks),
  },
];
