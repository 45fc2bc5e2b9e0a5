import type { Parsed } from '../options/kinds.js';
import { PREFIX } from './env.js';
import { nearest } from './nearest.js';
import type { Setting } from './settings.js';

const LAST_PORT = 65_535;

/** A variable that is not known, or whose value was not understood. */
export interface ConfigProblem {
  readonly variable: string;
  readonly value: string;
  readonly expected: string;
  /** The value that is used instead. */
  readonly used: string;
}

/** A variable of a port, from its prefix on. */
const OF_PORT = /^(?:CONNECT_)?PORT_(\d+)_/;

function unknownVariable(name: string, known: readonly string[]): string {
  const [, port] = OF_PORT.exec(name) ?? [];
  if (Number(port) < 1 || Number(port) > LAST_PORT) return `a port from 1 to ${LAST_PORT}`;
  const meant = nearest(name, known);
  return `a variable that socket-tune knows${meant === undefined ? '' : `, such as ${PREFIX}${meant}`}`;
}

/** Reads variables one by one. Remembers which of them are known, and collects what was wrong with them. */
export class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #environment: ReadonlyMap<string, string>;
  readonly #known = new Set<string>();

  constructor(environment: ReadonlyMap<string, string>) {
    this.#environment = environment;
  }

  /**
   * The value of a variable. Undefined: not set, or not understood.
   *
   * @param instead the value that the caller uses then, for the message, as a variable would have it. Undefined: the kernel's.
   */
  read<T>(variable: string, parse: (text: string) => Parsed<T>, instead: string | undefined): T | undefined {
    this.#known.add(variable);
    const text = this.#environment.get(variable);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    this.problems.push({ variable, value: text, expected: parsed.expected, used: instead ?? 'what the kernel has' });
    return undefined;
  }

  /** The value of a setting, or its default. */
  readSetting<V>(setting: Setting<V>): V {
    const { kind, variable, default: instead } = setting;
    return this.read(variable, (text) => kind.parse(text, setting), kind.display(instead)) ?? instead;
  }

  /**
   * The ports that have variables of their own: `SOCKET_TUNE_PORT_8080_…`.
   *
   * @param prefix ahead of `PORT_`
   */
  ports(prefix: string): number[] {
    const ports = new Set<number>();
    for (const variable of this.#environment.keys()) {
      if (!variable.startsWith(prefix)) continue;
      const port = Number(/^PORT_([1-9]\d{0,4})_/.exec(variable.slice(prefix.length))?.[1]);
      if (port <= LAST_PORT) ports.add(port);
    }
    return [...ports];
  }

  /** Report a variable that has no effect, if it is set. */
  reportIneffective(variable: string, expected: string): void {
    const value = this.#environment.get(variable);
    if (value === undefined) return;
    this.#known.add(variable);
    this.problems.push({ variable, value, expected, used: 'nothing' });
  }

  /** Report each variable that nobody has read, with the known one that is most like it. */
  reportUnknown(): void {
    const known = Array.from(this.#known, (name) => name.slice(PREFIX.length));
    for (const [variable, value] of this.#environment) {
      if (this.#known.has(variable)) continue;
      const expected = unknownVariable(variable.slice(PREFIX.length), known);
      this.problems.push({ variable, value, expected, used: 'nothing' });
    }
  }
}
