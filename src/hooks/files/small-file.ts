import { fdOf } from '../../native/sockets/handle-fd.js';
import type { WritePart } from '../../node/streams.js';
import { endRegionsBefore } from './region.js';
import { joined, type StagedRegion } from './staging.js';
import { canOvertakeNode, failed, type Transfer, write } from './transfer-state.js';

/** Whether a region's bytes can be sent from where they were read to. */
export function isStageable(state: Transfer, region: StagedRegion): boolean {
  return region.staged !== undefined && canOvertakeNode(state, region);
}

/**
 * A small region with what goes ahead of it, in one call. What the socket does not take of them is Node's to write.
 *
 * @param at where in the parts the region is
 * @returns undefined if nothing was sent, as too much goes ahead
 */
export function sendStaged(
  state: Transfer,
  ahead: readonly WritePart[],
  region: StagedRegion,
  at: number,
): boolean | undefined {
  const { socket, context } = state;
  const handle = socket._handle;
  const bytes = joined(context.files.staging, ahead, region);
  if (bytes === undefined || handle === null) return undefined;
  endRegionsBefore(socket, region);
  const answer = context.files.send(fdOf(handle), bytes, false);
  if (failed(state, answer)) return false;
  // Whatever else is wrong, Node's own write meets as well.
  const sent = Math.max(answer, 0);
  const rest = sent < bytes.length ? Buffer.copyBytesFrom(bytes, sent) : undefined;
  state.next = at + 1;
  region.end();
  context.onCopied(region.count, 'small-file');
  if (sent > 0) {
    context.addBytesWritten(handle, sent);
    socket._unrefTimer();
  }
  if (rest === undefined) return true;
  const isDone = write(state, rest, 'buffer');
  if (!isDone && sent > 0) context.noteWriteProgress(socket);
  return isDone;
}
