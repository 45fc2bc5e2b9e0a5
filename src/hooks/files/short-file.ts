import { setTimeout } from '../../node/clock.js';
import type { NetSocket } from '../../node/net.js';
import type { FileRegion } from './region.js';
import { abandon, type Transfer } from './transfer-state.js';

/** How often it is looked whether a stream has closed, in milliseconds. */
const CLOSE_POLL_MS = 1;

/** The file cannot be read any more: the stream says so as it would have, and what was promised of it cannot be kept. */
export function onReadError(state: Transfer, region: FileRegion, error: unknown): boolean {
  const { source } = region;
  region.error = error instanceof Error ? error : new Error(String(error));
  if (source === undefined || source.destroyed) return endShort(state, region);
  region.end();
  source.destroy(region.error);
  endShortOnceClosed(state, region, source);
  return false;
}

/** A stream closes its file before it tells of an error; the app must hear of that before the connection ends by it. */
function endShortOnceClosed(state: Transfer, region: FileRegion, source: NonNullable<FileRegion['source']>): void {
  if (state.socket.destroyed) return abandon(state, null);
  if (!source.closed) setTimeout(endShortOnceClosed, CLOSE_POLL_MS, state, region, source);
  else if (endShort(state, region)) state.advance(state);
}

/**
 * The file has become shorter than the region. If its length has been promised to the peer, the connection must end: the next
 * response would be taken for the rest of this one. Else it is just the end of the file.
 */
export function endShort(state: Transfer, region: FileRegion): boolean {
  state.context.onTruncated();
  if (isPromised(state.socket)) {
    state.socket.destroy();
    abandon(state, null);
    return false;
  }
  region.end();
  state.next++;
  return true;
}

function isPromised(socket: NetSocket): boolean {
  const header = socket._httpMessage?._header;
  return typeof header === 'string' && /^(?:content-length|transfer-encoding):/im.test(header);
}
