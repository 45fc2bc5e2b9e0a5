import { poolTurn } from '../clock.js';
import type { FsBinding, FsCall, FsRequest, NativeFileHandle, ReadFileJob } from '../fs-binding.js';
import { hiddenSlot } from '../hidden-slot.js';
import { exchange, replaceMethod, type Undo, undoAll } from './replace.js';

/** What a call has come to without the thread pool: a value, or an error. */
export interface InlineAnswer {
  readonly error?: Error;
  readonly value?: unknown;
}

/** Where in the arguments of a call its request is. */
const REQUEST_AT: Readonly<Record<FsCall, number>> = {
  stat: 2,
  lstat: 2,
  fstat: 2,
  access: 2,
  realpath: 2,
  open: 3,
  openFileHandle: 3,
  close: 1,
  read: 5,
};

/** Complete a request as the thread pool would have (src/node_file.cc `FSReqCallback::Resolve`), and not before it could have. */
function complete(request: FsRequest, { error, value }: InlineAnswer): void {
  poolTurn(() => {
    if (error !== undefined) request.oncomplete?.(error);
    else if (value === undefined) request.oncomplete?.(null);
    else request.oncomplete?.(null, value);
  });
}

function promiseOf({ error, value }: InlineAnswer): Promise<unknown> {
  return new Promise((resolve, reject) => {
    poolTurn(() => (error === undefined ? resolve(value) : reject(error)));
  });
}

/**
 * Have the asynchronous calls of a function of the binding answered inline, where `answer` can.
 *
 * @param answer is given the arguments of a call; where it returns undefined, Node's own function is called with them
 */
export function answerInline(
  binding: FsBinding,
  name: FsCall,
  answer: (args: ArrayLike<unknown>) => InlineAnswer | undefined,
): Undo {
  const requestAt = REQUEST_AT[name];
  const { FSReqCallback, kUsePromises } = binding;
  return replaceMethod<FsBinding[FsCall]>(binding, name, (original) => {
    const replacement = function (this: unknown): unknown {
      // biome-ignore lint/complexity/noArguments: the original counts them
      const args = arguments;
      const request: unknown = args[requestAt];
      const isPromise = request === kUsePromises;
      if (isPromise || request instanceof FSReqCallback) {
        const inline = answer(args);
        if (inline !== undefined) return isPromise ? promiseOf(inline) : complete(request as FsRequest, inline);
      }
      return Reflect.apply(original, this, args);
    };
    return replacement as FsBinding[FsCall];
  });
}

/** Have FileHandles close without the thread pool, where `mayClose` says of their descriptor that this waits for nothing. */
export function closeHandlesInline(
  { FileHandle }: FsBinding,
  mayClose: (fd: number) => boolean,
  close: (fd: number) => void,
): Undo {
  return replaceMethod<NativeFileHandle['close']>(
    FileHandle.prototype,
    'close',
    (original) =>
      function (this: NativeFileHandle) {
        const { fd } = this;
        if (!mayClose(fd)) return original.call(this);
        this.releaseFD();
        close(fd);
        return promiseOf({}) as Promise<void>;
      },
  );
}

/** Jobs that open their file for reading alone. */
const readsOnly = hiddenSlot<ReadFileJob, true>();

/** Note what `fs.promises.readFile` opens its files for. `fs.readFile` has taken the class for itself, and says so in its context. */
function noteFlags(binding: FsBinding, Job: NonNullable<FsBinding['ReadFileJob']>): Undo {
  const noting = function (...args: unknown[]): ReadFileJob {
    const job: ReadFileJob = Reflect.construct(Job, args, new.target === noting ? Job : new.target);
    if (args[1] === 0) readsOnly.set(job, true);
    return job;
  };
  noting.prototype = Job.prototype;
  exchange(binding, 'ReadFileJob', Job, noting);
  return () => exchange(binding, 'ReadFileJob', noting, Job);
}

/**
 * Have whole files read without the thread pool, where `read` answers with their bytes.
 *
 * @returns undefined before Node 26, whose `readFile` opens, reads and closes by calls of their own
 */
export function readFilesInline(
  binding: FsBinding,
  read: (path: string) => InlineAnswer | undefined,
): Undo | undefined {
  const { ReadFileJob: Job } = binding;
  if (Job === undefined) return undefined;
  const undoRun = replaceMethod<ReadFileJob['run']>(
    Job.prototype,
    'run',
    (original) =>
      function (this: ReadFileJob, path) {
        const isRead = readsOnly.get(this) ?? this.context?.options?.flag === 'r';
        const answer = isRead ? read(path) : undefined;
        if (answer === undefined) return original.call(this, path);
        const { error = null, value } = answer;
        poolTurn(() => this.ondone?.(error, value, -1, undefined, undefined));
        return undefined;
      },
  );
  return undoAll([noteFlags(binding, Job), undoRun]);
}
