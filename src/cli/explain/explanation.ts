import type { OptionValue } from '../../options/kinds.js';

/** What some sockets get of an option. */
export interface SocketValue {
  /** `listeners`, `accepted sockets`, `outgoing sockets to port 5432`, … */
  readonly sockets: string;
  /** Absent if it stays as the kernel and Node have it. */
  readonly value?: OptionValue;
  /** The value in the form that its variable takes. */
  readonly text: string;
  readonly source: string;
}

/** One option, or setting, with its value in the configuration. */
export interface Explanation {
  readonly option: string;
  readonly variable: string;
  /** Absent if it stays as the kernel and Node have it. */
  readonly value?: unknown;
  /** The value in the form that its variable takes. */
  readonly text: string;
  /** The variable, what follows from one, `preset NAME`, `default`; `left alone` where there is no value. */
  readonly source: string;
  /** Name in the system's headers, or what it is in Node. Absent of most settings. */
  readonly constant?: string;
  /** Whether this system has it. */
  readonly supported: boolean;
  /** The values that its variable takes. */
  readonly values: string;
  readonly doc: string;
  readonly link: string;
  /** Of an option: what each kind of socket gets. */
  readonly sockets?: readonly SocketValue[];
}

/** A page of docs/ of this version. The bundle is dist/cli.js. */
export function docs(page: string): string {
  return new URL(`../docs/${page}`, import.meta.url).href;
}

/** Stands where an option has no value. */
export const NO_VALUE = '–';
