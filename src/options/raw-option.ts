import type { OptionPhase, OptionTarget, SocketOption } from './socket-option.js';

/** When, and on which sockets, a raw option is set. */
export const RAW_PHASES = ['before-bind', 'before-listen', 'accepted', 'before-connect', 'datagram'] as const;

export type RawPhase = (typeof RAW_PHASES)[number];

/** An option that the table does not have, by its numbers. */
export interface RawOption {
  /** As in setsockopt(2): 1 is SOL_SOCKET, 6 is IPPROTO_TCP. */
  readonly level: number;
  readonly name: number;
  readonly value: number;
  readonly phase: RawPhase;
}

const PLACES: Readonly<Record<RawPhase, readonly [OptionTarget, OptionPhase]>> = {
  'before-bind': ['listener', 'before-bind'],
  'before-listen': ['listener', 'before-handshake'],
  accepted: ['accepted', 'any-time'],
  'before-connect': ['outgoing', 'before-handshake'],
  datagram: ['datagram', 'any-time'],
};

/** A raw option as a row of the table. */
export function rawRow({ level, name, value, phase }: RawOption): SocketOption & { readonly key: 'raw' } {
  const [target, optionPhase] = PLACES[phase];
  return {
    key: 'raw',
    variable: 'RAW',
    constant: `${level}:${name}`,
    kind: 'count',
    targets: [target],
    phase: optionPhase,
    families: ['tcp', 'unix', 'udp'],
    readBack: 'same',
    presets: {},
    sample: value,
    doc: 'An option by its numbers.',
  };
}
