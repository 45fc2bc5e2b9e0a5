import fs, { openSync } from 'node:fs';
import { FileDescriptor } from '../../../src/hooks/files/file-descriptor.js';
import { FileRegion, hasRegion } from '../../../src/hooks/files/region.js';
import { type TransferContext, transfer } from '../../../src/hooks/files/transfer.js';
import type { FileCalls } from '../../../src/native/platform.js';
import type { NetSocket } from '../../../src/node/net.js';
import type { Mutable } from '../../../src/node/patch/replace.js';
import { realFiles } from '../files/fake-files.js';

/** What happened to the regions of a socket. */
export interface Passage {
  /** Bytes that went by sendfile. */
  sent: number;
  /** Bytes that were copied, by reason. */
  readonly copied: Map<string, number>;
  truncated: number;
  /** Calls of sendfile(2). */
  sendfiles: number;
  /** Pieces that the thread pool read. */
  poolReads: number;
}

/** A socket that sends regions by calls that a test may have changed. */
export interface RegionSocket {
  readonly socket: NetSocket;
  readonly passage: Passage;
  /** A region of a file, on a descriptor of its own that is closed when the region has ended. */
  region(path: string, position: number, count: number, source?: FileRegion['source']): FileRegion;
}

/** Teach one socket, and no other, to send regions. */
export function regionSocket(
  socket: NetSocket,
  calls: Partial<FileCalls> = {},
  overrides: Partial<TransferContext> = {},
): RegionSocket {
  const original = socket._writeGeneric;
  const passage: Passage = { sent: 0, copied: new Map(), truncated: 0, sendfiles: 0, poolReads: 0 };
  const files: FileCalls = { ...realFiles(), ...calls };
  const read: typeof fs.read = Object.assign((...args: unknown[]): void => {
    passage.poolReads++;
    Reflect.apply(overrides.read ?? fs.read, fs, args);
  }, fs.read);
  const context: TransferContext = {
    joins: true,
    write: original,
    readSync: fs.readSync,
    addBytesWritten: () => undefined,
    noteWriteProgress: () => undefined,
    onSent: (bytes) => {
      passage.sent += bytes;
    },
    onCopied: (bytes, reason) => {
      passage.copied.set(reason, (passage.copied.get(reason) ?? 0) + bytes);
    },
    onTruncated: () => {
      passage.truncated++;
    },
    ...overrides,
    read,
    files: {
      ...files,
      sendfile(...args) {
        passage.sendfiles++;
        return files.sendfile(...args);
      },
    },
  };
  const patched: Mutable<NetSocket> = socket;
  patched._writeGeneric = function (writev, data, encoding, callback) {
    if (!hasRegion(writev, data)) return original.call(this, writev, data, encoding, callback);
    return transfer(context, this, data, encoding, callback);
  };
  return {
    socket,
    passage,
    region(path, position, count, source) {
      const descriptor = new FileDescriptor(realFiles(), openSync(path, 'r'), true);
      return new FileRegion(descriptor, position, count, source).boundFor(socket);
    },
  };
}
