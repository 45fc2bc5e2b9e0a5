import type { OptionValue, Rearm, SocketOption } from './socket-option.js';

const TCP = ['tcp'] as const;
const INHERITED = ['listener', 'accepted', 'outgoing'] as const;
const LISTENER_ONLY = ['listener'] as const;

/**
 * THE table: one row an option. Parsing, presets, types, read-back, the README's table and the round-trip test all follow
 * from it. Meanings: tcp(7), socket(7), and `include/uapi/linux/tcp.h`.
 */
const OPTION_TABLE = [
  {
    key: 'noDelay',
    variable: 'NODELAY',
    constant: 'TCP_NODELAY',
    kind: 'flag',
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    readBack: 'same',
    presets: { default: true, lowlatency: true, highthroughput: true },
    sample: true,
    doc: 'Send small segments at once instead of waiting for the ACK of the last one (Nagle).',
  },
  {
    key: 'receiveBuffer',
    variable: 'RCVBUF',
    constant: 'SO_RCVBUF',
    kind: 'bytes',
    range: [1024, 1 << 30],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    floor: 'receive',
    readBack: 'doubled',
    presets: { default: 256 << 10, lowlatency: 128 << 10, highthroughput: 1 << 20 },
    sample: 96 << 10,
    doc: 'Receive buffer: a floor, set only where the kernel’s own ceiling (tcp_rmem) is lower; `exact` sets it always.',
  },
  {
    key: 'sendBuffer',
    variable: 'SNDBUF',
    constant: 'SO_SNDBUF',
    kind: 'bytes',
    range: [1024, 1 << 30],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    floor: 'send',
    readBack: 'doubled',
    presets: { default: 256 << 10, lowlatency: 128 << 10, highthroughput: 1 << 20 },
    sample: 96 << 10,
    doc: 'Send buffer: a floor, set only where the kernel’s own ceiling (tcp_wmem) is lower; `exact` sets it always.',
  },
  {
    key: 'keepAlive',
    variable: 'KEEPALIVE',
    constant: 'SO_KEEPALIVE',
    kind: 'flag',
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    readBack: 'same',
    presets: { default: true, lowlatency: true, highthroughput: true },
    sample: true,
    doc: 'Probe idle connections, so that a peer that is gone is noticed.',
  },
  {
    key: 'keepAliveIdle',
    variable: 'KEEPALIVE_IDLE',
    constant: 'TCP_KEEPIDLE',
    kind: 'seconds',
    range: [1, 32767],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    requires: 'keepAlive',
    readBack: 'same',
    presets: { default: 60, lowlatency: 30, highthroughput: 60 },
    sample: 77,
    doc: 'Idle time before the first keepalive probe.',
  },
  {
    key: 'keepAliveInterval',
    variable: 'KEEPALIVE_INTERVAL',
    constant: 'TCP_KEEPINTVL',
    kind: 'seconds',
    range: [1, 32767],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    requires: 'keepAlive',
    rewrittenByNode: true,
    readBack: 'same',
    presets: { default: 10, lowlatency: 5, highthroughput: 10 },
    sample: 17,
    doc: 'Time between keepalive probes.',
  },
  {
    key: 'keepAliveCount',
    variable: 'KEEPALIVE_COUNT',
    constant: 'TCP_KEEPCNT',
    kind: 'count',
    range: [1, 127],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    requires: 'keepAlive',
    rewrittenByNode: true,
    readBack: 'same',
    presets: { default: 6, lowlatency: 3, highthroughput: 6 },
    sample: 4,
    doc: 'Unanswered probes after which the connection is dropped.',
  },
  {
    key: 'quickAck',
    variable: 'QUICKACK',
    constant: 'TCP_QUICKACK',
    kind: 'rearm',
    targets: ['accepted'],
    phase: 'before-listen',
    families: TCP,
    readBack: 'none',
    lasting: false,
    presets: { default: 'on', lowlatency: 'on' },
    sample: 'on',
    doc: 'Acknowledge a part of a request at once. `on` re-arms it as data arrives; `once` is worn off by the first ACK.',
  },
  {
    key: 'deferAccept',
    variable: 'DEFER_ACCEPT',
    constant: 'TCP_DEFER_ACCEPT',
    kind: 'seconds',
    range: [1, 32767],
    targets: LISTENER_ONLY,
    phase: 'before-listen',
    families: TCP,
    clientSpeaksFirst: true,
    readBack: 'rounded',
    presets: { default: 5, highthroughput: 5 },
    sample: 30,
    doc: 'Accept a connection only when its first data is there (http, https, tls and http2 servers only). The kernel rounds up.',
  },
  {
    key: 'fastOpen',
    variable: 'FASTOPEN',
    constant: 'TCP_FASTOPEN',
    kind: 'count',
    range: [1, 65535],
    targets: LISTENER_ONLY,
    phase: 'before-listen',
    families: TCP,
    readBack: 'same',
    presets: { default: 256, lowlatency: 256, highthroughput: 256 },
    sample: 99,
    doc: 'Take data in a repeat client’s SYN (RFC 7413); the value bounds the queue of such connections.',
  },
  {
    key: 'userTimeout',
    variable: 'USER_TIMEOUT',
    constant: 'TCP_USER_TIMEOUT',
    kind: 'milliseconds',
    range: [1, 2 ** 31 - 1],
    targets: INHERITED,
    phase: 'before-listen',
    families: TCP,
    readBack: 'same',
    presets: { default: 120_000, lowlatency: 30_000, highthroughput: 120_000 },
    sample: 54_321,
    doc: 'How long sent data may stay unacknowledged, or the peer’s window shut, before the connection ends with ETIMEDOUT.',
  },
  {
    key: 'noSigPipe',
    variable: 'NOSIGPIPE',
    constant: 'SO_NOSIGPIPE',
    kind: 'flag',
    targets: ['accepted', 'outgoing'],
    phase: 'before-listen',
    families: ['tcp', 'unix'],
    readBack: 'same',
    presets: { default: true, lowlatency: true, highthroughput: true },
    sample: true,
    doc: 'macOS: a write to a closed connection is an error and never a SIGPIPE.',
  },
] as const satisfies readonly SocketOption[];

type Row = (typeof OPTION_TABLE)[number];
type ValueOf<K> = K extends 'flag' ? boolean : K extends 'rearm' ? Rearm : number;

/** Key of an option in a config. */
export type OptionKey = Row['key'];

/** Name of a constant that some row needs. */
export type ConstantName = Row['constant'];

/** The options of a config: a value, or absent for "leave it as the kernel and Node have it". */
export type OptionValues = { readonly [R in Row as R['key']]?: ValueOf<R['kind']> };

/** A row with its literal types widened: what the code that walks the table works with. */
export type OptionRow = SocketOption & {
  readonly key: OptionKey;
  readonly constant: ConstantName;
  readonly requires?: OptionKey;
};

/** The table as rows to walk. */
export const OPTION_ROWS: readonly OptionRow[] = OPTION_TABLE;

/** The value that a config holds for a row. */
export function optionValue(values: OptionValues, row: OptionRow): OptionValue | undefined {
  return values[row.key];
}

/** The number that setsockopt(2) is given for a value; `undefined` where nothing is to be set. */
export function toInt(value: OptionValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value === 'off' ? undefined : 1;
}
