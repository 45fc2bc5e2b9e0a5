/** Settings: one row each. Reading the environment, checking a config and the defaults follow from the rows. */
import { KINDS, type Kind, type Limits, oneOf } from '../options/kinds.js';
import { hasUnit } from '../options/quantity.js';
import { PREFIX } from './env.js';
import { BEHIND } from './front.js';
import { INSPECT_ADDRESS } from './inspect-address.js';
import { PRESET_NAMES } from './presets.js';
import type { OptionalTime, Settings } from './tune-config.js';

/** One setting: everything that is not an option of a socket. */
export interface Setting<V> extends Limits {
  /** Environment variable. */
  readonly variable: string;
  readonly kind: Kind<V>;
  readonly default: V;
  /** As in the README's table. */
  readonly doc: string;
}

const REPORT_TARGET: Kind<string> = {
  parse: (text) => ({ value: text }),
  accepts: (value) => typeof value === 'string',
  expected: () => "'off', 'exit' or a path",
  describeValues: () => 'off, exit (standard error), or the path of a file',
  display: (value) => value,
};

const CONNECT_WORDS = oneOf(['on', 'guard', 'off']);

/** What is done with outgoing sockets. The words of a flag are `on` and `off`. */
const CONNECT_MODE: Kind<'on' | 'guard' | 'off'> = {
  ...CONNECT_WORDS,
  parse(text, limits) {
    const flag = KINDS.flag.parse(text, limits);
    return 'value' in flag ? { value: flag.value ? 'on' : 'off' } : CONNECT_WORDS.parse(text, limits);
  },
};

/** A time with its unit: whoever writes `20` for a drain means seconds, and a number alone would be milliseconds. */
const TIME_WITH_UNIT: Kind<number> = {
  ...KINDS.milliseconds,
  parse(text, limits) {
    const parsed = KINDS.milliseconds.parse(text, limits);
    if (!('value' in parsed) || hasUnit(text)) return parsed;
    return { expected: `a time with its unit, such as ${text.trim()}s` };
  },
};

/** A time, or `off`. */
const OPTIONAL_TIME: Kind<OptionalTime> = {
  parse(text, limits) {
    if (text.trim().toLowerCase() === 'off') return { value: 'off' };
    const parsed = TIME_WITH_UNIT.parse(text, limits);
    return 'value' in parsed ? parsed : { expected: `${parsed.expected}, or off` };
  },
  accepts: (value, limits) => value === 'off' || TIME_WITH_UNIT.accepts(value, limits),
  expected: (limits) => `'off' or ${TIME_WITH_UNIT.expected(limits)}`,
  describeValues: (limits) => `${TIME_WITH_UNIT.describeValues(limits)}, or off`,
  display: (value) => (value === 'off' ? value : TIME_WITH_UNIT.display(value)),
};

/** An hour: longer than any supervisor waits. */
const LONGEST_DRAIN_MS = 3_600_000;

/** Settings that are properties of a config as well: the compiler demands a row for each property of {@link Settings}. */
export const SETTINGS: { readonly [K in keyof Settings]-?: Setting<Required<Settings>[K]> } = {
  bufferMode: {
    variable: `${PREFIX}BUFFER_MODE`,
    kind: oneOf(['floor', 'exact']),
    default: 'floor',
    doc: '`floor`: a buffer size is set only if the kernel’s own limit is lower, because a fixed size ends autotuning; `exact`: always',
  },
  sendfile: {
    variable: `${PREFIX}SENDFILE`,
    kind: KINDS.flag,
    default: true,
    doc: 'files by sendfile(2)',
  },
  sendfileMin: {
    variable: `${PREFIX}SENDFILE_MIN`,
    kind: KINDS.bytes,
    range: [0, Number.MAX_SAFE_INTEGER],
    // bench/files.ts: below it read and write cost no more, and later changes of the file do not reach the client.
    default: 64 << 10,
    doc: 'a shorter file is copied, and leaves with its headers by one send(2)',
  },
  sendfileWindow: {
    variable: `${PREFIX}SENDFILE_WINDOW`,
    kind: KINDS.bytes,
    range: [64 << 10, 64 << 20],
    // Measured by bench/files.ts.
    default: 512 << 10,
    doc: "bytes of a file that a socket gets in one step, before Node's streams run again",
  },
  cork: {
    variable: `${PREFIX}CORK`,
    kind: oneOf(['auto', 'off']),
    default: 'auto',
    doc: '`auto`: headers leave in one segment with the first bytes of the file; `off`: headers leave first',
  },
  fs: {
    variable: `${PREFIX}FS`,
    kind: oneOf(['auto', 'off']),
    default: 'auto',
    doc: '`auto`: calls of `fs` that the kernel can answer from memory skip the thread pool',
  },
  udpGso: {
    variable: `${PREFIX}UDP_GSO`,
    kind: KINDS.flag,
    default: false,
    doc: 'datagrams of one size that one tick sends to one destination leave by one system call (UDP_SEGMENT), at the end of the tick at the latest',
  },
  splice: {
    variable: `${PREFIX}SPLICE`,
    kind: oneOf(['auto', 'off']),
    default: 'off',
    doc: '`auto`: bulk data from a plain socket that is piped to another goes by splice(2), see docs/proxies.md',
  },
  behind: {
    variable: `${PREFIX}BEHIND`,
    kind: BEHIND,
    default: 'off',
    doc: 'the proxy in front of the servers, or its idle time: servers close idle connections later than the proxy, see docs/requests.md',
  },
  drain: {
    variable: `${PREFIX}DRAIN`,
    kind: OPTIONAL_TIME,
    range: [1, LONGEST_DRAIN_MS],
    default: 'off',
    doc: 'how long a server may take to finish its connections, after it is closed or SIGTERM or SIGINT arrives',
  },
  drainDelay: {
    variable: `${PREFIX}DRAIN_DELAY`,
    kind: TIME_WITH_UNIT,
    range: [0, LONGEST_DRAIN_MS],
    default: 0,
    doc: 'how long a process goes on accepting connections after such a signal, before the drain begins',
  },
  inspect: {
    variable: `${PREFIX}INSPECT`,
    kind: INSPECT_ADDRESS,
    default: 'off',
    doc: 'where the page and the metrics are served',
  },
  otel: {
    variable: `${PREFIX}OTEL`,
    kind: oneOf(['auto', 'off']),
    default: 'auto',
    doc: '`auto`: the app’s OpenTelemetry meter provider, if it has one, gets our metrics',
  },
  report: {
    variable: `${PREFIX}REPORT`,
    kind: REPORT_TARGET,
    default: 'off',
    doc: 'where the report goes; a file gets JSON, `%p` in its name is the process id, `%t` the thread',
  },
};

/** Settings that only the environment has. */
export const ENVIRONMENT_SETTINGS = {
  enabled: { variable: 'SOCKET_TUNE', kind: KINDS.flag, default: true, doc: '`off`: the preload does nothing at all' },
  strict: {
    variable: `${PREFIX}STRICT`,
    kind: KINDS.flag,
    default: false,
    doc: 'a bad value ends the process (exit code 9); `off`: a bad value brings a warning',
  },
  connect: {
    variable: `${PREFIX}CONNECT`,
    kind: CONNECT_MODE,
    default: 'guard',
    doc: 'sockets that the process opens: `guard` notices dead peers, `on` sets all their options, `off` leaves them alone',
  },
  preset: {
    variable: `${PREFIX}PRESET`,
    kind: oneOf(PRESET_NAMES),
    default: 'default',
    doc: 'case, `-` and `_` do not matter',
  },
} as const satisfies Readonly<Record<string, Setting<boolean> | Setting<string>>>;
