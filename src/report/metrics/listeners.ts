import type { OptionOutcome } from '../../options/outcome.js';
import type { ListenerRecord } from '../listener-record.js';
import type { Report } from '../report.js';
import { add, type Merge, type MetricRow, type MetricSample, merged, single } from './row.js';

/** A port may be listened on again and again, or by several listeners at once. */
function byListener(
  figureOf: (listener: ListenerRecord) => number | undefined,
  merge: Merge = add,
): MetricRow['samples'] {
  return ({ listeners }) => merged('listener', merge, listeners, ({ address }) => address, figureOf);
}

/** The queue of a listener that is open. */
function openQueue({ acceptQueue }: ListenerRecord): ListenerRecord['acceptQueue'] {
  return acceptQueue?.closed ? undefined : acceptQueue;
}

function optionSamples({ listeners }: Report): readonly MetricSample[] {
  const samples = (listener: string, socket: string, outcomes: readonly OptionOutcome[]): MetricSample[] =>
    outcomes.map(({ constant: option, verdict }) => ({ labels: { listener, socket, option, verdict }, value: 1 }));
  return listeners.flatMap(({ address, outcomes, accepted }) => [
    ...samples(address, 'listener', outcomes),
    ...samples(address, 'accepted', accepted),
  ]);
}

export const LISTENER_METRICS: readonly MetricRow[] = [
  {
    type: 'counter',
    name: 'listener_connections_total',
    instrument: 'listener.connections',
    unit: '{connection}',
    help: 'Connections accepted, by listener.',
    labels: ['listener'],
    samples: byListener(({ connections }) => connections),
  },
  {
    type: 'gauge',
    name: 'option',
    instrument: undefined,
    unit: '1',
    help: '1 for the verdict on each option of a listener, and of the first connection that it accepted.',
    labels: ['listener', 'socket', 'option', 'verdict'],
    samples: optionSamples,
  },
  {
    type: 'gauge',
    name: 'port_listeners',
    instrument: 'listener.port_listeners',
    unit: '{listener}',
    help: 'Listeners that share the port of this one.',
    labels: ['listener'],
    samples: byListener(({ group }) => group?.listeners, Math.max),
  },
  {
    type: 'amount',
    name: 'accept_queue_length',
    instrument: 'accept_queue.length',
    unit: '{connection}',
    help: 'Connections that wait to be accepted, by listener.',
    labels: ['listener'],
    samples: byListener((listener) => openQueue(listener)?.length),
  },
  {
    type: 'amount',
    name: 'accept_queue_limit',
    instrument: 'accept_queue.limit',
    unit: '{connection}',
    help: 'Connections that may wait to be accepted, by listener.',
    labels: ['listener'],
    samples: byListener((listener) => openQueue(listener)?.limit),
  },
  {
    type: 'gauge',
    name: 'accept_queue_highest',
    instrument: 'accept_queue.highest',
    unit: '{connection}',
    help: 'The longest accept queue that was seen, by listener.',
    labels: ['listener'],
    samples: byListener(({ acceptQueue }) => acceptQueue?.highest, Math.max),
  },
  {
    type: 'counter',
    name: 'accept_queue_drops_total',
    instrument: 'accept_queue.drops',
    unit: '{packet}',
    help: 'SYNs and handshakes that a listener has dropped, mostly as its accept queue was full.',
    labels: ['listener'],
    samples: byListener(({ acceptQueue }) => acceptQueue?.drops),
  },
  {
    type: 'counter',
    name: 'namespace_listen_overflows_total',
    instrument: 'namespace.listen_overflows',
    unit: '{time}',
    help: 'Times that an accept queue of this network namespace was full (ListenOverflows).',
    labels: [],
    samples: single(({ dropped }) => dropped?.overflows.total),
  },
  {
    type: 'counter',
    name: 'namespace_listen_drops_total',
    instrument: 'namespace.listen_drops',
    unit: '{packet}',
    help: 'SYNs and handshakes that the listeners of this network namespace have dropped (ListenDrops).',
    labels: [],
    samples: single(({ dropped }) => dropped?.drops.total),
  },
];
