import { ERRNO } from '../../native/errno.js';
import type { FileCalls } from '../../native/platform.js';
import { fitsTurn } from '../turn-budget.js';
import type { Answer, PoolReason } from './answer.js';
import { type FsContext, knownStatus } from './cached-files.js';
import { type OpenedFile, openFile } from './descriptors.js';
import { untoldFiles } from './untold-files.js';

type Args = ArrayLike<unknown>;

/** The kernel does not tell what is in the page cache. */
const UNTOLD = 'residency-unknown' satisfies PoolReason;

/** Position of a read that goes on where the descriptor stands. */
const CURRENT = -1;

/**
 * Read what is in the page cache, up to the last byte that is asked for or the end of the file.
 *
 * @returns the bytes that were read; a reason if some are not in the page cache, and then the descriptor stands where it stood
 */
function readCached(
  files: FileCalls,
  fd: number,
  buffer: Buffer,
  offset: number,
  count: number,
  position: number,
): number | PoolReason {
  let done = 0;
  while (done < count) {
    const at = position === CURRENT ? CURRENT : position + done;
    const bytes = files.readNow(fd, buffer, offset + done, count - done, at);
    if (bytes === 0) return done;
    if (bytes < 0) {
      if (position === CURRENT && done > 0) files.moveBack(fd, done);
      return bytes === -ERRNO.EOPNOTSUPP ? UNTOLD : 'not-resident';
    }
    done += bytes;
  }
  return done;
}

/** Whether we know where the bytes of a view are: not where they are shared, or their number may change. */
function isPlainMemory(buffer: unknown): buffer is Buffer {
  return (
    Buffer.isBuffer(buffer) && buffer.buffer instanceof ArrayBuffer && Reflect.get(buffer.buffer, 'resizable') !== true
  );
}

/** Above this a read gains nothing: copying takes longer than the way through the pool, where it runs beside the loop. */
const MOST_INLINE = 128 << 10;

/** read: fd, buffer, offset, length, position, request. */
export function answerRead(context: FsContext, args: Args): Answer {
  const { 0: fd, 1: buffer, 2: offset, 3: size, 4: position } = args;
  if (typeof fd !== 'number' || !isPlainMemory(buffer) || typeof offset !== 'number') return 'other-arguments';
  if (typeof size !== 'number' || typeof position !== 'number' || offset + size > buffer.length)
    return 'other-arguments';
  if (size > MOST_INLINE) return 'large-read';
  if (untoldFiles.has(fd)) return UNTOLD;
  if (!fitsTurn(size)) return 'turn-is-full';
  // A pipe or a device has no positions: the kernel refuses a read of them at one.
  if (position === CURRENT && knownStatus(context, fd)?.regular !== true) return 'not-a-regular-file';
  const read = readCached(context.files, fd, buffer, offset, size, position);
  if (read === UNTOLD) untoldFiles.note(fd);
  return typeof read === 'string' ? read : { value: read };
}

function readWhole({ files }: FsContext, { value: fd, size }: OpenedFile): Answer {
  // A file without a size makes up its bytes as it is read.
  if (size === 0) return 'not-a-regular-file';
  if (size > MOST_INLINE) return 'large-read';
  if (!fitsTurn(size)) return 'turn-is-full';
  const value = Buffer.allocUnsafeSlow(size);
  const read = readCached(files, fd, value, 0, size, 0);
  if (typeof read === 'string') return read;
  // It has become shorter meanwhile.
  return read === size ? { value } : 'not-resident';
}

/** Mode of a file that open(2) would create, which ours never does. */
const MODE = 0o666;

/** A whole file; see `readFilesInline`. */
export function answerReadFile(context: FsContext, path: string): Answer {
  if (untoldFiles.has(path)) return UNTOLD;
  if (!fitsTurn()) return 'turn-is-full';
  const opened = openFile(context, path, MODE);
  if (typeof opened === 'string' || !('size' in opened)) return opened;
  try {
    const answer = readWhole(context, opened);
    if (answer === UNTOLD) untoldFiles.note(path);
    return answer;
  } finally {
    context.node.close(opened.value);
  }
}
