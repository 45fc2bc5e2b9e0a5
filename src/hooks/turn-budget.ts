import { setImmediate } from '../node/clock.js';

/** What may be done inline in one turn of the event loop, over all calls: about half a millisecond. */
const MOST_CALLS = 64;
const MOST_BYTES = 1 << 20;

/** Least share of a turn. Below it the calls cost more than they move. */
const LEAST_SHARE = 64 << 10;

/** Bytes that each of so many transfers may move in a turn, so that all of them, and what else happens, come to their turns. */
export function shareOfTurn(transfers: number): number {
  return Math.max(Math.floor(MOST_BYTES / transfers), LEAST_SHARE);
}

let calls = 0;
let bytes = 0;
let isCounting = false;

function reset(): void {
  calls = 0;
  bytes = 0;
  isCounting = false;
}

/**
 * Whether a call may still be answered in this turn of the event loop; if so, it counts. What is beyond goes to the thread pool, so that
 * the loop is not held by calls that each are short.
 *
 * @param size bytes that the call copies
 */
export function fitsTurn(size = 0): boolean {
  if (!isCounting) {
    isCounting = true;
    setImmediate(reset);
  }
  if (calls >= MOST_CALLS || bytes + size > MOST_BYTES) return false;
  calls++;
  bytes += size;
  return true;
}
