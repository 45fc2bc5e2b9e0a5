import { fdOf } from '../../native/sockets/handle-fd.js';
import { setTimeout } from '../../node/clock.js';
import { copyPiece, waitPiece } from './copying.js';
import type { FileRegion } from './region.js';
import type { Transfer } from './transfer-state.js';

/** Timers in a row that may bring nothing: acknowledgements come in bursts, with gaps between them. */
const MOST_VAIN_REFILLS = 2;

/**
 * Wait until a full socket takes bytes again: by a timer where it would say so late, else by Node's own write of a small piece.
 * Stock Node need not care: while its reads fill the buffer up bit by bit, acknowledgements make room for more.
 */
export function waitForRoom(state: Transfer, region: FileRegion): boolean {
  const { context, socket } = state;
  const delay = region.vainRefills < MOST_VAIN_REFILLS ? context.files.refillDelay(fdOf(socket._handle)) : 0;
  if (delay === 0) return copyPiece(state, region, waitPiece(region), 'socket-full');
  region.vainRefills++;
  setTimeout(state.advance, delay, state);
  return false;
}
