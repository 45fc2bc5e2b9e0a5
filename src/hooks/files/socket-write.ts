import { debug } from '../../diagnostics.js';
import type { FileCalls } from '../../native/platform.js';
import { fs, net } from '../../node/modules.js';
import { asNetSocket, type NetSocket, type WriteGeneric } from '../../node/net.js';
import { addBytesWritten, noteWriteProgress } from '../../node/patch/net.js';
import { replaceAllOwn } from '../../node/patch/own-methods.js';
import type { Undo } from '../../node/patch/replace.js';
import { count, counters } from '../../report/counters.js';
import { endRegionsOf, hasRegion, liveRegions } from './region.js';
import { type TransferContext, transfer } from './transfer.js';
import { undoneAfterRegions } from './undo-after-regions.js';

/** The replacement that is in place now. Eligibility recognises sockets by it. */
let current: WriteGeneric | undefined;

/** Whether this `_writeGeneric` understands regions. */
export function sendsRegions(writeGeneric: unknown): boolean {
  return current !== undefined && writeGeneric === current;
}

function transferContext(files: FileCalls, joins: boolean, write: WriteGeneric): TransferContext {
  const { read, readSync } = fs();
  return {
    files,
    joins,
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

/** Where the calls to send regions come from. Asked when the first region is written. */
let filesOf: () => FileCalls | undefined = () => undefined;

let joinsHeaders = true;

function makeWrite(original: WriteGeneric): WriteGeneric {
  let context: TransferContext | undefined;
  return function (this: NetSocket, writev, data, encoding, callback) {
    // While it connects, Node keeps the data and calls this again. Without a handle Node fails and does not look at the data.
    if (liveRegions() === 0 || this.connecting || this._handle === null || !hasRegion(writev, data)) {
      return original.call(this, writev, data, encoding, callback);
    }
    const files = filesOf();
    // Regions are made of these calls, so they are there.
    if (files === undefined) return callback(new Error('a file region without the calls to send it'));
    if (context?.joins !== joinsHeaders) context = transferContext(files, joinsHeaders, original);
    this._unrefTimer();
    return transfer(context, this, data, encoding, callback);
  };
}

function makeDestroy(original: NetSocket['_destroy']): NetSocket['_destroy'] {
  return function (this: NetSocket, error, callback) {
    if (liveRegions() > 0) endRegionsOf(this);
    return original.call(this, error, callback);
  };
}

/** Node's own code would take a region that is on its way for a Buffer. */
const patchSockets = undoneAfterRegions(() =>
  replaceAllOwn({ 'Socket._writeGeneric': makeWrite, 'Socket._destroy': makeDestroy }),
);

/**
 * Make the sockets of this thread send regions. Every write in the process goes through here: while there is no region in the
 * process, it pays for one comparison.
 *
 * @param files asked for when the first region is written
 * @param joins whether what goes ahead of a region is sent in the same segment
 * @returns undefined if Node's own code is not what we know
 */
export function installSocketWrite(files: () => FileCalls | undefined, joins = true): Undo | undefined {
  const unpatch = patchSockets();
  if (unpatch === undefined) return undefined;
  filesOf = files;
  joinsHeaders = joins;
  current = asNetSocket(net().Socket.prototype)._writeGeneric;
  return () => {
    current = undefined;
    unpatch();
  };
}
