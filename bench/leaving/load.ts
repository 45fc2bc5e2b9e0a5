import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, newTally, type Tally } from './client.js';

const CONNECTIONS = 50;

/** Of load between two restarts. */
const PAUSE_MILLISECONDS = 300;

/** How much is done. */
export interface Amount {
  readonly restarts: number;
  /** Answers. */
  readonly least: number;
}

/** A restart, as its supervisor sees it. */
export interface Ended {
  /** A signal, or an exit code. */
  readonly how: string;
  readonly seconds: number;
}

/** What several restarts under load have come to. */
export interface Outcome extends Tally {
  readonly ends: readonly string[];
  /** Seconds that the slowest took. */
  readonly longest: number;
  /** Requests that were lost, or answered with 502, 503 or the like: from each restart to the next. */
  readonly bad: readonly number[];
}

/** No client waits for so long. */
const LONGEST_SILENCE_MILLISECONDS = 30_000;

/** Wait for so many answers. The last server must still answer. */
async function untilAnswered(tally: Tally, least: number): Promise<void> {
  let { answered } = tally;
  for (let since = performance.now(); tally.answered < least; await sleep(PAUSE_MILLISECONDS)) {
    if (tally.answered > answered) since = performance.now();
    ({ answered } = tally);
    if (performance.now() - since < LONGEST_SILENCE_MILLISECONDS) continue;
    throw new Error(`nobody answers after the restarts; ${answered} requests were answered`);
  }
}

/** Run clients while `restart` is called again and again, and until enough was answered. */
export async function underLoad(
  client: Client,
  port: () => number,
  { restarts, least }: Amount,
  restart: () => Promise<Ended>,
): Promise<Outcome> {
  const tally = newTally();
  let isOver = false;
  const clients = Array.from({ length: CONNECTIONS }, () => client(port, tally, () => isOver));
  const ends: Ended[] = [];
  const marks: number[] = [];
  const mark = (): void => void marks.push(tally.lost + tally.failed);
  try {
    for (let count = 0; count < restarts; count++) {
      await sleep(PAUSE_MILLISECONDS);
      mark();
      ends.push(await restart());
    }
    await untilAnswered(tally, least);
  } finally {
    isOver = true;
  }
  await Promise.all(clients);
  mark();
  return {
    ...tally,
    ends: ends.map(({ how }) => how),
    longest: Math.max(...ends.map(({ seconds }) => seconds)),
    bad: marks.slice(1).map((total, index) => total - (marks[index] ?? 0)),
  };
}
