import { debug } from '../../diagnostics.js';
import { ERRNO } from '../../native/errno.js';
import type { KernelPipe, SpliceCalls } from '../../native/platform.js';
import { setTimeout } from '../../node/clock.js';
import { closeHandle, connectionHandle, type SocketHandle } from '../../node/net.js';

/** What a user may have at most without a privilege: fs.pipe-max-size. Measured by bench/proxies. */
const SIZE = 1 << 20;

/** How long an unused pipe is kept. */
const KEPT_FOR_MS = 1000;

/**
 * The one kernel pipe of this thread. Each turn of a pair fills and empties it, so that one does for all pairs.
 *
 * Its ends belong to handles of Node's: they are closed with the thread, be it by `worker.terminate()`.
 */
export class ThreadPipe {
  private readonly calls: SpliceCalls;
  private readonly pipe: KernelPipe;
  private readonly owners: readonly SocketHandle[];
  /** Bytes in it. */
  held = 0;
  isUsed = true;

  constructor(calls: SpliceCalls, pipe: KernelPipe, owners: readonly SocketHandle[]) {
    this.calls = calls;
    this.pipe = pipe;
    this.owners = owners;
  }

  get size(): number {
    return this.pipe.size;
  }

  /** Fill it from a socket. Returns bytes, 0 at the end of what the peer sends, or an errno, negated. */
  fill(socket: number, count: number): number {
    const filled = this.calls.splice(socket, this.pipe.input, count);
    if (filled > 0) this.held += filled;
    return filled;
  }

  /** Empty it into a socket. Returns 0 when it is empty, or an errno, negated. */
  empty(socket: number): number {
    while (this.held > 0) {
      const emptied = this.calls.splice(this.pipe.output, socket, this.held);
      if (emptied <= 0) return emptied;
      this.held -= emptied;
    }
    return 0;
  }

  /** Take all bytes out of it. Undefined if they cannot be read: then they are lost, and the next turn gets another pipe. */
  takeOut(): Buffer | undefined {
    const bytes = Buffer.alloc(this.held);
    let taken = 0;
    while (this.held > 0) {
      const read = this.calls.read(this.pipe.output, bytes.subarray(taken));
      if (read <= 0) return undefined;
      taken += read;
      this.held -= read;
    }
    return bytes;
  }

  close(): void {
    for (const owner of this.owners) closeHandle(owner);
  }
}

let current: ThreadPipe | undefined;

/**
 * The kernel pipe of this thread, empty.
 *
 * @param like a handle of the class that is to own its ends
 * @returns an errno, negated, where there is none to be had
 */
export function threadPipe(calls: SpliceCalls, like: SocketHandle): ThreadPipe | number {
  // Left by a turn that did not come to its end. Bytes of one connection must not come to another.
  if (current !== undefined && current.held > 0) closeThreadPipe();
  if (current === undefined) {
    const opened = open(calls, like);
    if (typeof opened === 'number') return opened;
    current = opened;
    closeWhenUnused(opened);
  }
  current.isUsed = true;
  return current;
}

export function closeThreadPipe(): void {
  current?.close();
  current = undefined;
}

function open(calls: SpliceCalls, like: SocketHandle): ThreadPipe | number {
  const pipe = calls.openPipe(SIZE);
  if (typeof pipe === 'number') return pipe;
  const output = connectionHandle(like, pipe.output);
  const input = connectionHandle(like, pipe.input);
  if (output === undefined || input === undefined) {
    giveBack(calls, output, pipe.output);
    giveBack(calls, input, pipe.input);
    return -ERRNO.EOPNOTSUPP;
  }
  // They must not keep the process alive.
  output.unref?.();
  input.unref?.();
  debug('a kernel pipe of %d bytes', pipe.size);
  return new ThreadPipe(calls, pipe, [output, input]);
}

function giveBack(calls: SpliceCalls, owner: SocketHandle | undefined, fd: number): void {
  if (owner === undefined) calls.close(fd);
  else closeHandle(owner);
}

function closeWhenUnused(pipe: ThreadPipe): void {
  const timer = setTimeout(() => {
    if (pipe !== current) return;
    if (pipe.isUsed) closeWhenUnused(pipe);
    else closeThreadPipe();
  }, KEPT_FOR_MS);
  timer.unref();
  pipe.isUsed = false;
}
