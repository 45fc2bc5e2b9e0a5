import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** What a fuzzer is told on its command line. */
export interface Options {
  readonly seconds: number;
  readonly seed: number;
  /** The only session. */
  readonly session: number | undefined;
  readonly lanes: number;
  readonly isTuned: boolean;
  readonly goesOn: boolean;
}

/** What a fuzzer does unless it is told otherwise. */
export type Defaults = Pick<Options, 'seconds' | 'lanes'>;

export function helpOn({ seconds, lanes }: Defaults): string {
  return `
  --seconds N    how long to go on; ${seconds} unless said otherwise
  --seed N       what the sessions are made from; a random number unless said otherwise
  --session N    only this session, once, or again and again for as long as --seconds says
  --lanes N      how many sessions at the same time; ${lanes} unless said otherwise, and one of --session
  --stock        without socket-tune: what the oracle expects is what Node does
  --all          go on after a session that is wrong
`;
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new Error(`--${name} must be a number, not ${text}`);
  return Number(text);
}

/** Undefined if they ask for help. */
export function parseOptions(defaults: Defaults): Options | undefined {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      session: { type: 'string' },
      lanes: { type: 'string' },
      stock: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const session = numberOf('session', values.session);
  return {
    seconds: numberOf('seconds', values.seconds) ?? (session === undefined ? defaults.seconds : 0),
    seed: numberOf('seed', values.seed) ?? randomInt(2 ** 31),
    session,
    lanes: numberOf('lanes', values.lanes) ?? (session === undefined ? defaults.lanes : 1),
    isTuned: !values.stock,
    goesOn: values.all,
  };
}
