import { PREFIX } from './env.js';
import { nearest } from './nearest.js';
import type { Parsed } from './values.js';

/** A variable whose value was not understood, or that is not known. */
export interface ConfigProblem {
  readonly variable: string;
  readonly value: string;
  readonly expected: string;
  /** What is used instead. */
  readonly used: string;
}

function display(value: unknown): string {
  if (value === undefined) return 'what the kernel has';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** Reads variables one by one, remembers which were asked for, and collects what was wrong with them. */
export class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #environment: ReadonlyMap<string, string>;
  readonly #known = new Set<string>();

  constructor(environment: ReadonlyMap<string, string>) {
    this.#environment = environment;
  }

  read<T>(variable: string, parse: (text: string) => Parsed<T>, instead: unknown): T | undefined {
    this.#known.add(variable);
    const text = this.#environment.get(variable);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if ('value' in parsed) return parsed.value;
    this.problems.push({ variable, value: text, expected: parsed.expected, used: display(instead) });
    return undefined;
  }

  /** Ports that some variable is about: `SOCKET_TUNE_PORT_8080_…`. */
  ports(): number[] {
    const ports = new Set<number>();
    for (const variable of this.#environment.keys()) {
      const port = Number(/^SOCKET_TUNE_PORT_([1-9]\d{0,4})_/.exec(variable)?.[1]);
      if (port <= 65535) ports.add(port);
    }
    return [...ports];
  }

  isSet(variable: string): boolean {
    return this.#environment.has(variable);
  }

  /** A value that is right in itself, and of no effect. */
  reportVain(variable: string, expected: string): void {
    if (!this.isSet(variable)) return;
    this.#known.add(variable);
    const value = this.#environment.get(variable) ?? '';
    this.problems.push({ variable, value, expected, used: 'nothing' });
  }

  /** Report what nobody has read, with what may have been meant. */
  reportUnknown(): void {
    const known = [...this.#known];
    for (const [variable, value] of this.#environment) {
      if (this.#known.has(variable)) continue;
      const meant = nearest(
        variable.slice(PREFIX.length),
        known.map((name) => name.slice(PREFIX.length)),
      );
      const hint = meant === undefined ? '' : `, such as ${PREFIX}${meant}`;
      this.problems.push({ variable, value, expected: `a variable that socket-tune knows${hint}`, used: 'nothing' });
    }
  }
}
