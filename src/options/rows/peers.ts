import type { SocketOption } from '../socket-option.js';

const TCP = ['tcp'] as const;

/** What is asked of the peer. Hooks see to it, with TCP_INFO: see src/hooks/peers. */
export const PEER_ROWS = [
  {
    key: 'deadPeer',
    variable: 'DEAD_PEER',
    constant: 'TCP_INFO',
    kind: 'seconds',
    // Keepalive counts in seconds: one until the probe, and one for its answer.
    range: [2, 32767],
    targets: ['listener', 'accepted', 'outgoing'],
    phase: 'any-time',
    families: TCP,
    watched: true,
    guards: true,
    readBack: 'none',
    // The time that the preset's keepalive gives an idle connection: KEEPALIVE_IDLE + KEEPALIVE_INTERVAL × KEEPALIVE_COUNT.
    presets: { default: 120, lowlatency: 45, highthroughput: 120 },
    sample: 33,
    doc: 'A peer that answers nothing for this time ends the connection with ETIMEDOUT: no ACK to sent data, none to keepalive. A peer that only reads slowly is never cut. This also sets keepalive times and RTO_MAX that fit.',
  },
  {
    key: 'answer',
    variable: 'ANSWER',
    constant: 'TCP_INFO',
    kind: 'seconds',
    range: [1, 32767],
    targets: ['outgoing'],
    phase: 'any-time',
    families: TCP,
    watched: true,
    guards: true,
    readBack: 'none',
    presets: {},
    sample: 33,
    doc: 'A peer that has acknowledged all written data, and sends nothing for this time, ends the connection with ETIMEDOUT. Not for protocols that do not answer every request, such as subscriptions of logs.',
  },
] as const satisfies readonly SocketOption[];
