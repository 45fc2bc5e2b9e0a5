import type { OptionKind, OptionValue } from './kinds.js';
import type { Range } from './quantity.js';

/** Where an option is set. A listener's options are what its accepted sockets inherit. */
export type OptionTarget = 'listener' | 'accepted' | 'outgoing' | 'datagram';

/**
 * When, in a socket's life, the option has to be set to have its effect. What the first packet says or is sent with must be set
 * `before-handshake`: on a listener before listen(2), on an outgoing socket before connect(2).
 */
export type OptionPhase = 'before-bind' | 'before-handshake' | 'any-time';

export type PresetName = 'default' | 'lowlatency' | 'highthroughput' | 'none';

/** One socket option. Everything that is known about it stands here, so adding one touches only the table. */
export interface SocketOption {
  /** Property of a config, e.g. `keepAliveIdle`. */
  readonly key: string;
  /** Environment variable without its `SOCKET_TUNE_` prefix. */
  readonly variable: string;
  /** Name of the constant in the system's headers; platforms supply its numbers. */
  readonly constant: string;
  readonly kind: OptionKind;
  /** Least and greatest value, in the kind's unit. */
  readonly range?: Range;
  /** Words that stand for numbers. */
  readonly words?: Readonly<Record<string, number>>;
  readonly targets: readonly OptionTarget[];
  readonly phase: OptionPhase;
  /** Only sockets of these address families know it. */
  readonly families: readonly SocketFamily[];
  /** Only for listeners whose client speaks first: elsewhere it would stall the greeting. */
  readonly clientSpeaksFirst?: true;
  /** Meaningless unless this other option is on. */
  readonly requires?: string;
  /**
   * The value is a least one. `receive`, `send`: a fixed size turns the kernel's autotuning off, so below the kernel's own ceiling
   * it is left alone. `current`: it is left alone where the socket has as much already.
   */
  readonly floor?: 'receive' | 'send' | 'current';
  /** The first release of Linux that has it, where that is later than what Node itself needs. */
  readonly since?: string;
  /** The least value is the kernel's tick (CONFIG_HZ), so a preset's value is refused by kernels with a slower one. */
  readonly leastByTick?: true;
  /** Only IPv6 sockets have it. */
  readonly ipv6Only?: true;
  /** What the kernel answers to a value that it took: the same, twice as much, or its own rounding of it. */
  readonly readBack: 'same' | 'doubled' | 'rounded' | 'none';
  /** Node's `setKeepAlive(true, …)` overwrites it with a value of its own, of which the app has not spoken. */
  readonly rewrittenByNode?: true;
  /** Set again on the socket while it lives, so neither inheritance nor read-back says anything. */
  readonly lasting?: false;
  readonly presets: Readonly<Partial<Record<PresetName, OptionValue>>>;
  /** A value that differs from every initial one, for the round-trip test. */
  readonly sample: OptionValue;
  readonly doc: string;
}

export type SocketFamily = 'tcp' | 'unix' | 'udp';

/** An option of the catalogue that is not built yet. */
export interface PlannedOption {
  readonly variable: string;
  readonly doc: string;
}
