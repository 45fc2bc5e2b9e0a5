import type { FileCalls } from '../../../src/native/platform.js';
import { linux } from '../sockets/kernel-value.js';

/** The calls of the running kernel. */
export function realFiles(): FileCalls {
  const { files } = linux();
  if (files === undefined) throw new Error('this system sends no files');
  return files;
}

/** A call that is not to be made. */
export function never(): never {
  throw new Error('a call that this test does not expect');
}

/** Calls that only do what a test says. */
export function fakeFiles(calls: Partial<FileCalls>): FileCalls {
  return {
    sendfile: never,
    send: never,
    duplicate: never,
    close: never,
    status: never,
    resident: never,
    cachedStatus: never,
    cachedFields: never,
    lookUp: never,
    find: never,
    readNow: never,
    isReadOnly: never,
    moveBack: never,
    noteFilesystem: never,
    staging: { buffers: [], most: 0, lead: 0, room: 0 },
    stage: never,
    hasKnownFilesystem: never,
    isOnKnownFilesystem: never,
    isStreamSocket: never,
    refillDelay: never,
    openEvent: never,
    notify: never,
    ...calls,
  };
}
