import type { FileCalls } from '../../native/platform.js';
import type { InlineAnswer } from '../../node/patch/fs-binding.js';
import { type FsContext, knownStatus } from './cached-files.js';
import { openInline } from './descriptors.js';
import { fitsTurn } from './turn-budget.js';

type Args = ArrayLike<unknown>;

/** Where the descriptor stands. */
const CURRENT = -1;

/**
 * Read what is in the page cache, to the last byte or the end of the file.
 *
 * @returns the bytes that were read; undefined if some are not in the page cache, and then the descriptor stands where it stood
 */
function readCached(
  files: FileCalls,
  fd: number,
  buffer: Buffer,
  offset: number,
  count: number,
  position: number,
): number | undefined {
  let done = 0;
  while (done < count) {
    const at = position === CURRENT ? CURRENT : position + done;
    const bytes = files.readNow(fd, buffer, offset + done, count - done, at);
    if (bytes === 0) return done;
    if (bytes < 0) {
      if (position === CURRENT && done > 0) files.moveBack(fd, done);
      return undefined;
    }
    done += bytes;
  }
  return done;
}

function isPlainMemory(buffer: unknown): buffer is Buffer {
  // The address of any other (a view, shared or resizable memory) is not known to be its bytes.
  return Buffer.isBuffer(buffer) && buffer.buffer instanceof ArrayBuffer && !Reflect.get(buffer.buffer, 'resizable');
}

/** read: fd, buffer, offset, length, position, request. */
export function answerRead(context: FsContext, args: Args): InlineAnswer | undefined {
  const { 0: fd, 1: buffer, 2: offset, 3: count, 4: position } = args;
  const files = context.files();
  if (files === undefined || typeof fd !== 'number' || !isPlainMemory(buffer)) return undefined;
  if (typeof offset !== 'number' || typeof count !== 'number' || typeof position !== 'number') return undefined;
  if (offset + count > buffer.length || !fitsTurn(count)) return undefined;
  // A pipe or a device has no positions, and is refused by the kernel where one is given.
  if (position === CURRENT && knownStatus(context, files, fd)?.regular !== true) return undefined;
  const value = readCached(files, fd, buffer, offset, count, position);
  return value === undefined ? undefined : { value };
}

/** Mode of files that an open creates, which ours do not. */
const MODE = 0o666;

/** Node reads a file of up to this size in one trip to the thread pool (lib/internal/fs/utils.js `kReadFileBufferLength`). */
const MOST_AT_ONCE = 512 << 10;

/** A whole file; see `readFilesInline`. */
export function answerReadFile(context: FsContext, path: string): InlineAnswer | undefined {
  const files = context.files();
  if (files === undefined || !fitsTurn()) return undefined;
  const opened = openInline(context, 'open', path, MODE);
  if (typeof opened?.value !== 'number') return opened;
  const fd = opened.value;
  try {
    const size = knownStatus(context, files, fd)?.size ?? 0;
    // Of no size is what makes up its bytes as it is read.
    if (size === 0 || size > MOST_AT_ONCE || !fitsTurn(size)) return undefined;
    const buffer = Buffer.allocUnsafeSlow(size);
    return readCached(files, fd, buffer, 0, size, 0) === size ? { value: buffer } : undefined;
  } finally {
    context.node.close(fd);
  }
}
