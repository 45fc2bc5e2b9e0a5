import { debug } from '../diagnostics.js';
import { afterLastRegion, endRegionsOf, liveRegions } from '../file-region/file-region.js';
import { hasRegion, type TransferContext, transfer } from '../file-region/transfer.js';
import type { FileCalls } from '../native/platform.js';
import { fs, isNodesOwn, type NetSocket, net, type WriteGeneric } from '../node-internals.js';
import { count, counters } from '../report/counters.js';
import { addBytesWritten, noteWriteProgress, replaceMethod, type Undo } from './patch.js';

/** The replacement that is in place now, for eligibility to recognise. */
let current: WriteGeneric | undefined;

/** Whether this `_writeGeneric` understands regions. */
export function sendsRegions(writeGeneric: unknown): boolean {
  return current !== undefined && writeGeneric === current;
}

function transferContext(files: FileCalls, write: WriteGeneric): TransferContext {
  const { read, readSync } = fs();
  return {
    files,
    write,
    read,
    readSync,
    addBytesWritten,
    noteWriteProgress,
    onSent: (bytes) => {
      counters.sendfileBytes += bytes;
    },
    onCopied: (bytes, reason) => {
      count(counters.copiedBytes, reason, bytes);
      if (reason.startsWith('refused:')) debug('sendfile %s', reason);
    },
    onTruncated: () => {
      counters.truncatedFiles++;
      debug('a file became shorter while it was sent');
    },
  };
}

/**
 * Make the sockets of this thread send regions. Every write in the process goes through here, so a write without a region, in
 * a process without regions, pays for one comparison.
 *
 * @param files asked for when the first region is written
 * @returns undefined if Node's own code is not what we know
 */
export function installSocketWrite(files: () => FileCalls | undefined): Undo | undefined {
  const { prototype } = net().Socket;
  if (!isNodesOwn(Reflect.get(prototype, '_writeGeneric'), 'Socket._writeGeneric')) return undefined;
  if (!isNodesOwn(Reflect.get(prototype, '_destroy'), 'Socket._destroy')) return undefined;
  const undoWrite = replaceMethod<WriteGeneric>(prototype, '_writeGeneric', (original) => {
    let context: TransferContext | undefined;
    current = function (this: NetSocket, writev, data, encoding, callback) {
      // While it connects, Node keeps the data and calls this again; without a handle it fails without looking at the data.
      if (liveRegions() === 0 || this.connecting || this._handle === null || !hasRegion(writev, data)) {
        return original.call(this, writev, data, encoding, callback);
      }
      const calls = files();
      // Regions are made of these calls, so they are there.
      if (calls === undefined) return callback(new Error('a file region without the calls to send it'));
      context ??= transferContext(calls, original);
      this._unrefTimer();
      return transfer(context, this, data, encoding, callback);
    };
    return current;
  });
  const undoDestroy = replaceMethod<NetSocket['_destroy']>(
    prototype,
    '_destroy',
    (original) =>
      function (this: NetSocket, error, callback) {
        if (liveRegions() > 0) endRegionsOf(this);
        return original.call(this, error, callback);
      },
  );
  return () => {
    current = undefined;
    // A region that is on its way must not meet the original, which would take it for an empty Buffer.
    afterLastRegion(() => {
      undoWrite();
      undoDestroy();
    });
  };
}
