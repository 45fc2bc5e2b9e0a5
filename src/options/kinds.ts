/** Kinds of values: one row a kind. It has how a value is parsed, checked, shown, and passed to the kernel. */
import {
  BYTES,
  COUNT,
  isWithin,
  MICROSECONDS,
  MILLISECONDS,
  parseQuantity,
  type Range,
  type Scale,
  SECONDS,
} from './quantity.js';

/** The value of a text, or what was expected in its place. */
export type Parsed<V> = { readonly value: V } | { readonly expected: string };

/** Limits of the values of one option or setting. Only numbers have any. */
export interface Limits {
  readonly range?: Range;
}

/** A kind of value, of settings and of options. */
export interface Kind<V> {
  /** The value that a text of the environment means. */
  parse(text: string, limits: Limits): Parsed<V>;
  /** Whether a value given in code is one. */
  accepts(value: unknown, limits: Limits): boolean;
  /** The accepted values, for the error message. */
  expected(limits: Limits): string;
  /** The accepted values, for docs/options.md and for editors. */
  describeValues(limits: Limits): string;
  /** A value as a variable may have it. */
  display(value: V): string;
}

/** Values of socket options. */
export type OptionValue = boolean | number | string;

/** A kind of value that goes to the kernel: of socket options. */
export interface KernelKind<V extends OptionValue> extends Kind<V> {
  /** Texts that leave the option as the kernel has it. Messages name the first one. */
  readonly leftAloneBy: readonly string[];
  /** Unit or words, for the README's table. */
  readonly unit: string;
  /** The number or the name for setsockopt(2). Undefined: there is nothing to set. */
  toKernel(value: V): number | string | undefined;
  /** Whether getsockopt(2) returned the number that was set. */
  isSame(kernel: number, wanted: number): boolean;
}

/** The ints of C from 0. */
const INT_RANGE: Range = [0, 2 ** 31 - 1];

function isEqual(kernel: number, wanted: number): boolean {
  return kernel === wanted;
}

const FLAG_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['1', true],
  ['true', true],
  ['yes', true],
  ['off', false],
  ['0', false],
  ['false', false],
  ['no', false],
]);

const FLAG: KernelKind<boolean> = {
  parse(text) {
    const value = FLAG_WORDS.get(text.trim().toLowerCase());
    return value === undefined ? { expected: 'on or off' } : { value };
  },
  accepts: (value) => typeof value === 'boolean',
  expected: () => 'a boolean',
  leftAloneBy: [],
  unit: 'on, off',
  describeValues: () => 'on, off',
  display: (value) => (value ? 'on' : 'off'),
  toKernel: (value) => (value ? 1 : 0),
  isSame: (kernel, wanted) => (kernel !== 0) === (wanted !== 0),
};

/** One of a few words. In a text, case, `-` and `_` do not matter. */
export function oneOf<W extends string>(words: readonly W[]): Kind<W> {
  return {
    parse(text) {
      const bare = text.trim().toLowerCase().replace(/[-_]/g, '');
      const value = words.find((word) => word === bare);
      return value === undefined ? { expected: `one of ${words.join(', ')}` } : { value };
    },
    accepts: (value) => words.some((word) => word === value),
    expected() {
      const quoted = words.map((word) => `'${word}'`);
      return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
    },
    describeValues: () => words.join(', '),
    display: (value) => value,
  };
}

/** One of a few words, of which `off` sets nothing. */
function switchedBy<W extends string>(words: readonly W[]): KernelKind<W> {
  return {
    ...oneOf(words),
    leftAloneBy: [],
    unit: words.join(', '),
    toKernel: (value) => (value === 'off' ? undefined : 1),
    isSame: isEqual,
  };
}

/** What differs between kinds of numbers. */
interface NumberKind extends Pick<KernelKind<number>, 'leftAloneBy' | 'unit' | 'display'> {
  readonly scale: Scale;
  /** What the numbers count, in messages and in docs/options.md. */
  readonly counted: readonly [inMessages: string, inDocs: string];
  /** The accepted texts, for the problem. */
  expectedText(range: Range): string;
}

function numbers({ scale, counted, expectedText, ...row }: NumberKind): KernelKind<number> {
  const [inMessages, inDocs] = counted;
  return {
    ...row,
    parse(text, { range = INT_RANGE }) {
      const value = parseQuantity(text, scale);
      return isWithin(value, range) ? { value } : { expected: expectedText(range) };
    },
    accepts: (value, { range = INT_RANGE }) => isWithin(value, range),
    expected({ range: [least, greatest] = INT_RANGE }) {
      const end = greatest === Number.MAX_SAFE_INTEGER ? '' : ` to ${greatest}`;
      return `a whole number of ${inMessages} from ${least}${end}`;
    },
    describeValues: ({ range: [least, greatest] = INT_RANGE }) =>
      greatest === Number.MAX_SAFE_INTEGER ? `from ${least}${inDocs}` : `${least} to ${greatest}${inDocs}`,
    toKernel: (value) => value,
    isSame: isEqual,
  };
}

function times(name: string, scale: Scale, symbol: string): KernelKind<number> {
  return numbers({
    scale,
    counted: [name, ` ${name}`],
    leftAloneBy: ['off'],
    unit: symbol,
    display: (value) => `${value}${symbol}`,
    expectedText: ([least, greatest]) =>
      `a time of whole ${name} from ${least} to ${greatest}, such as ${least}${scale.unit} or 30s`,
  });
}

function displayBytes(value: number): string {
  if (value > 0 && value % 2 ** 20 === 0) return `${value / 2 ** 20}m`;
  return value > 0 && value % 2 ** 10 === 0 ? `${value / 2 ** 10}k` : String(value);
}

/** What the kernel's names are made of. The longest one has 15 letters (TCP_CA_NAME_MAX). */
const NAME_FORM = /^[a-z0-9_-]{1,15}$/;

const EXPECTED_NAME = 'a name of up to 15 letters, digits, - and _';

const NAME: KernelKind<string> = {
  parse(text) {
    const value = text.trim().toLowerCase();
    return NAME_FORM.test(value) ? { value } : { expected: EXPECTED_NAME };
  },
  accepts: (value) => typeof value === 'string' && NAME_FORM.test(value),
  expected: () => EXPECTED_NAME,
  leftAloneBy: ['off'],
  unit: 'name',
  describeValues: () => 'a name',
  display: (value) => value,
  toKernel: (value) => value,
  isSame: isEqual,
};

/** As the kernel takes one (net/core/dev.c `dev_valid_name`; IFNAMSIZ, with the end mark). */
const DEVICE_FORM = /^(?!\.{1,2}$)[^\s/:]{1,15}$/;

const EXPECTED_DEVICE = 'the name of a network interface, of up to 15 letters';

const DEVICE: KernelKind<string> = {
  ...NAME,
  parse(text) {
    const value = text.trim();
    return isDevice(value) ? { value } : { expected: EXPECTED_DEVICE };
  },
  accepts: (value) => typeof value === 'string' && isDevice(value),
  expected: () => EXPECTED_DEVICE,
  unit: 'interface',
  describeValues: () => 'the name of a network interface',
};

function isDevice(name: string): boolean {
  // A letter may be several bytes.
  return DEVICE_FORM.test(name) && Buffer.byteLength(name) <= 15;
}

/** The table of kinds. */
export const KINDS = {
  flag: FLAG,
  /** Not set, set once on the accepted socket, or set again each time its effect has worn off. */
  rearm: switchedBy(['on', 'once', 'off']),
  /** `cpu`: shared, and a connection goes to the listener of the CPU that received its first packet. */
  share: switchedBy(['on', 'cpu', 'off']),
  name: NAME,
  /** Large and small letters differ, and an interface may have nearly any name. */
  device: DEVICE,
  count: numbers({
    scale: COUNT,
    counted: ['units', ''],
    leftAloneBy: ['off'],
    unit: 'number',
    display: String,
    expectedText: ([least, greatest]) => `a whole number from ${least} to ${greatest}`,
  }),
  bytes: numbers({
    scale: BYTES,
    counted: ['bytes', ' bytes'],
    leftAloneBy: ['auto', 'off'],
    unit: 'bytes',
    display: displayBytes,
    expectedText: ([least, greatest]) => `a size from ${least} to ${greatest} bytes, such as 65536, 256k or 1.5mb`,
  }),
  seconds: times('seconds', SECONDS, 's'),
  milliseconds: times('milliseconds', MILLISECONDS, 'ms'),
  microseconds: times('microseconds', MICROSECONDS, 'µs'),
} as const;

export type OptionKind = keyof typeof KINDS;

/** The kind of an option. */
export function kindOf({ kind }: { readonly kind: OptionKind }): KernelKind<OptionValue> {
  return KINDS[kind];
}
