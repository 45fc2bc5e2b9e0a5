import type { OptionKind, OptionValue } from './kinds.js';
import type { Range } from './quantity.js';

/** The sockets that an option is set on. Accepted sockets inherit the options of their listener. */
export type OptionTarget = 'listener' | 'accepted' | 'outgoing' | 'datagram';

/**
 * When an option must be set to have its effect. `before-bind`: an outgoing socket that binds no local address needs it before
 * connect(2). `before-handshake`: it changes the first packet, so a listener needs it before
 * listen(2), and an outgoing socket before connect(2).
 */
export type OptionPhase = 'before-bind' | 'before-handshake' | 'any-time';

export type PresetName = 'default' | 'lowlatency' | 'highthroughput' | 'none';

/** One socket option: a row of the table. Nothing about an option stands elsewhere. */
export interface SocketOption {
  /** Property of a config, e.g. `keepAliveIdle`. */
  readonly key: string;
  /** Environment variable, without its `SOCKET_TUNE_` prefix. */
  readonly variable: string;
  /** Name in the system's headers. Platforms have its numbers. */
  readonly constant: string;
  readonly kind: OptionKind;
  /** Least and greatest value, in the kind's unit. */
  readonly range?: Range;
  /** Words for some of the numbers. */
  readonly words?: Readonly<Record<string, number>>;
  readonly targets: readonly OptionTarget[];
  readonly phase: OptionPhase;
  /** Sockets that have the option. */
  readonly families: readonly SocketFamily[];
  /** Only for listeners whose client sends first: with others it would delay the server's greeting. */
  readonly clientSpeaksFirst?: true;
  /** Has no effect unless this other option is on. */
  readonly requires?: string;
  /**
   * The value is a least one. `receive`, `send`: not set below the ceiling of the kernel's autotuning, which a fixed size ends.
   * `current`: not set where the socket has as much already.
   */
  readonly floor?: 'receive' | 'send' | 'current';
  /** First Linux that has it, if later than the one that Node needs. */
  readonly since?: string;
  /** The least value is a tick of the kernel's clock (CONFIG_HZ): a kernel with a slow clock refuses the value of a preset. */
  readonly leastByTick?: true;
  /** Only sockets that bind an address of this machine have a use for it: outgoing ones mostly do not. */
  readonly ofLocalAddress?: true;
  /** No option of a socket, but what it is made as. Nothing changes it later. */
  readonly atCreation?: true;
  /** What errors of setsockopt(2) mean for this option, where their names do not tell. */
  readonly errors?: Readonly<Record<string, string>>;
  /** Only IPv6 sockets have it. */
  readonly ipv6Only?: true;
  /** What getsockopt(2) returns afterwards: the same value, twice the value, the value rounded up, or nothing that matters. */
  readonly readBack: 'same' | 'doubled' | 'rounded' | 'none';
  /** Node's `setKeepAlive(true, …)` sets it to a fixed value that the app did not choose. */
  readonly rewrittenByNode?: true;
  /** Not an option of the kernel: hooks watch the connection, and end it. The constant is what they ask the kernel. */
  readonly watched?: true;
  /** Part of the guard of outgoing sockets, which `SOCKET_TUNE_CONNECT=guard` is. */
  readonly guards?: true;
  /** Set on an outgoing socket once it is connected: earlier, it would change how long connect(2) tries. */
  readonly onceConnected?: true;
  /** The effect wears off, so the option is set again and again. Inheritance and read-back say nothing. */
  readonly lasting?: false;
  /** The one system that has it, by the name of its Platform. Reports of others have it only if the user has named it. */
  readonly system?: 'darwin';
  readonly presets: Readonly<Partial<Record<PresetName, OptionValue>>>;
  /** A value that no new socket has, for the round-trip test. */
  readonly sample: OptionValue;
  readonly doc: string;
}

export type SocketFamily = 'tcp' | 'unix' | 'udp';

/** An option that is not built yet. */
export interface PlannedOption {
  readonly variable: string;
  readonly doc: string;
}
