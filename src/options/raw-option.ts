import type { OptionPhase, OptionTarget, SocketOption } from './socket-option.js';

/** When a raw option is set, and on which sockets. */
export const RAW_PHASES = ['before-bind', 'before-listen', 'accepted', 'before-connect', 'datagram'] as const;

export type RawPhase = (typeof RAW_PHASES)[number];

/** An option by its numbers, for what the table does not have. */
export interface RawOption {
  /** As in setsockopt(2): 1 is SOL_SOCKET, 6 is IPPROTO_TCP. */
  readonly level: number;
  readonly name: number;
  readonly value: number;
  readonly phase: RawPhase;
}

const TARGET_AND_PHASE: Readonly<Record<RawPhase, readonly [OptionTarget, OptionPhase]>> = {
  'before-bind': ['listener', 'before-bind'],
  'before-listen': ['listener', 'before-handshake'],
  accepted: ['accepted', 'any-time'],
  'before-connect': ['outgoing', 'before-handshake'],
  datagram: ['datagram', 'any-time'],
};

/** A raw option as a row of the table. */
export function rawRow({ level, name, value, phase }: RawOption): SocketOption & { readonly key: 'raw' } {
  const [target, optionPhase] = TARGET_AND_PHASE[phase];
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
