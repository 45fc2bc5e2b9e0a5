import { fdOf } from '../native/handle-fd.js';
import type { WritePart } from '../node-internals.js';
import { endRegionsBefore, type FileRegion } from './file-region.js';
import { stage } from './staged.js';
import { canOvertakeNode, failed, type Transfer, write } from './transfer-state.js';

export function isStageable(state: Transfer, region: FileRegion): boolean {
  return region.copyReason === 'small-file' && region.transferred === 0 && canOvertakeNode(state, region);
}

/**
 * A small region with what goes ahead of it, in one call.
 *
 * @param at where in the parts the region is
 * @returns undefined if nothing was sent, and it is to go another way
 */
export function sendStaged(
  state: Transfer,
  ahead: readonly WritePart[],
  region: FileRegion,
  at: number,
): boolean | undefined {
  const { socket, context } = state;
  const handle = socket._handle;
  const staged = stage(context.files, ahead, region);
  if (staged === undefined || handle === null) return undefined;
  endRegionsBefore(socket, region);
  const sent = context.files.send(fdOf(handle), staged.bytes, false);
  if (sent <= 0) return failed(state, sent) ? false : undefined;
  context.addBytesWritten(handle, sent);
  state.next = at;
  // What goes ahead is kept until it is sent, the region's own bytes are still in its file.
  if (sent < staged.lead) return write(state, Buffer.copyBytesFrom(staged.bytes, sent, staged.lead - sent), 'buffer');
  region.transferred = sent - staged.lead;
  state.copied += region.transferred;
  context.onCopied(region.transferred, 'small-file');
  socket._unrefTimer();
  if (region.remaining > 0) return true;
  region.end();
  state.next++;
  return true;
}
