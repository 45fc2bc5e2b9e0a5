import {
  CHANGING_CALLS,
  type FileJob,
  type FsBinding,
  type FsCall,
  type FsRequest,
  type HeldCall,
  heldCalls,
  type InlineAnswer,
  type InlineCall,
  type NativeFileHandle,
  type ReadFileJob,
} from '../bindings.js';
import { poolTurn } from '../clock.js';
import { hiddenSlot } from '../hidden-slot.js';
import { defineProperty } from '../own-properties.js';
import { exchange, looksLike, mutable, replaceMethod, type Undo, undoAll } from './replace.js';

/** Complete a request as the thread pool would have (src/node_file.cc `FSReqCallback::Resolve`), and not before it could have. */
function complete(request: FsRequest, { error, value }: InlineAnswer): void {
  poolTurn(() => {
    if (error !== undefined) request.oncomplete?.(error);
    else if (value === undefined) request.oncomplete?.(null);
    else request.oncomplete?.(null, value);
  });
}

/** The class of every async function's promises, whatever stands in `globalThis.Promise` (zone.js, Bluebird): Node calls its methods. */
const { constructor: OwnPromise } = (async () => undefined)() as unknown as {
  readonly constructor: PromiseConstructor;
};

function promiseOf({ error, value }: InlineAnswer): Promise<unknown> {
  return new OwnPromise((resolve, reject) => {
    poolTurn(() => (error === undefined ? resolve(value) : reject(error)), true);
  });
}

/** An app may replace it. */
const { captureStackTrace } = Error;

/** Calls that a close must wait for. Those of a FileHandle, which ask for a promise, it waits for in any case. */
const WITH_DESCRIPTOR: ReadonlySet<FsCall> = new Set(['fstat', 'read', 'readBuffers']);

/** Whether the thread pool has a call with a descriptor, so that closing it now would come before. */
export function isUsedByPool(fd: number): boolean {
  for (const name of WITH_DESCRIPTOR) if ((heldCalls().get(name)?.underWay.get(fd) ?? 0) > 0) return true;
  return false;
}

/** What is ended when a request of the thread pool is complete. */
interface UnderWay {
  readonly oncomplete: FsRequest['oncomplete'];
  readonly end: (fd: number) => void;
  readonly fd: number;
}

const underWayOf = hiddenSlot<FsRequest, UnderWay>();

/** Stands where the caller's function stood, for all requests. */
function settle(this: FsRequest, ...args: unknown[]): unknown {
  const underWay = underWayOf.get(this);
  underWay?.end(underWay.fd);
  return underWay?.oncomplete && Reflect.apply(underWay.oncomplete, this, args);
}

/**
 * Have `end` called when a request of the thread pool is complete, ahead of who has made it. There is one function for all requests: with
 * a closure for each, a process that reads large files was measured to pay a fifth more.
 */
function onceComplete(request: FsRequest, end: (fd: number) => void, fd: number): void {
  underWayOf.set(request, { oncomplete: request.oncomplete, end, fd });
  mutable(request).oncomplete = settle;
}

/** Of a request whose end is the same for all. */
const NO_DESCRIPTOR = -1;

let changes = 0;

function endChange(): void {
  changes--;
}

/** Whether the thread pool has a call of this thread that changes files: what is asked after it is to find them changed. */
export function hasChangesUnderWay(): boolean {
  return changes > 0;
}

const CHANGING: ReadonlySet<FsCall> = new Set(CHANGING_CALLS);

/** Flags of open(2) for reading alone, as Node has them of `r`. */
const READING = 0;

function changesFiles(name: FsCall, { 1: flags }: ArrayLike<unknown>): boolean {
  const opens = name === 'open' || name === 'openFileHandle';
  return opens ? flags !== READING : CHANGING.has(name);
}

const { then } = Promise.prototype;

/** Count a call that changes files until it is complete. */
function noteChange(request: unknown, result: unknown): void {
  changes++;
  if (typeof request === 'symbol') Reflect.apply(then, result, [endChange, endChange]);
  else onceComplete(request as FsRequest, endChange, NO_DESCRIPTOR);
}

/**
 * Stand before a function of the binding, which is called as ever until `answer` is set. Its errors keep the stack that they would
 * have without us: what our frame would push out of it may be the app's.
 */
function standBefore(binding: FsBinding, name: FsCall): HeldCall {
  const { FSReqCallback, kUsePromises, [name]: original } = binding;
  const delaysClose = WITH_DESCRIPTOR.has(name);
  const isRequest = (value: unknown): boolean => value === kUsePromises || value instanceof FSReqCallback;
  const requestIn = (args: ArrayLike<unknown>): unknown => {
    // It is the last argument, or nearly so.
    for (let index = args.length - 1; index > 0; index--) if (isRequest(args[index])) return args[index];
    return undefined;
  };
  const deliver = (request: unknown, answer: InlineAnswer): unknown =>
    request === kUsePromises ? promiseOf(answer) : complete(request as FsRequest, answer);
  const underWay = new Map<number, number>();
  // Descriptors are few, and stay in the map. One that entries come to and leave makes itself anew again and again in V8's old generation,
  // each time V8 looks whether a major collection is due, and a process that reads large files has a third more of these.
  const endOne = (fd: number): void => void underWay.set(fd, (underWay.get(fd) ?? 1) - 1);
  // It counts a call of the thread pool until that calls back.
  const noteUnderWay = (fd: unknown, request: FsRequest): void => {
    if (typeof fd !== 'number') return;
    underWay.set(fd, (underWay.get(fd) ?? 0) + 1);
    onceComplete(request, endOne, fd);
  };
  const note = (args: ArrayLike<unknown>, request: unknown, result: unknown): void => {
    if (delaysClose && request !== kUsePromises) noteUnderWay(args[0], request as FsRequest);
    if (held.isWatched && changesFiles(name, args)) noteChange(request, result);
  };
  const wrapper = function (this: unknown): unknown {
    // biome-ignore lint/complexity/noArguments: the original counts them
    const args = arguments;
    const request = requestIn(args);
    const inline = request === undefined ? undefined : held.answer?.(args);
    if (inline !== undefined) return deliver(request, inline);
    try {
      const result: unknown = Reflect.apply(original, this, args);
      if (request !== undefined) note(args, request, result);
      return result;
    } catch (error) {
      if (error instanceof Error) Reflect.apply(captureStackTrace, Error, [error, wrapper]);
      throw error;
    }
  };
  looksLike(wrapper, original);
  const own = Object.getOwnPropertyDescriptor(binding, name);
  defineProperty(binding, name, { ...own, value: wrapper });
  const held: HeldCall = {
    wrapper,
    original,
    answer: undefined,
    isWatched: false,
    underWay,
    remove: () => exchange(binding, name, wrapper, original),
  };
  heldCalls().set(name, held);
  return held;
}

/** What lib/internal/fs/read/context.js takes for itself when it is loaded, which is at the first `fs.readFile` of the process. */
const TAKEN_EARLY: readonly FsCall[] = ['read', 'close'];

/** Stand before what Node's own modules take from the binding when they are loaded. The calls are answered once that is asked for. */
export function holdCalls(binding: FsBinding): void {
  for (const name of TAKEN_EARLY) if (!heldCalls().has(name)) standBefore(binding, name);
}

/** Answers nothing: the calls are stood before so that others know of them. */
const toNode: InlineCall = () => undefined;

/** Have the asynchronous calls of a function of the binding answered inline, where `answer` can. */
export function answerInline(binding: FsBinding, name: FsCall, answer: InlineCall): Undo {
  const held = heldCalls().get(name) ?? standBefore(binding, name);
  mutable(held).answer = answer;
  mutable(held).isWatched = true;
  return () => {
    mutable(held).answer = undefined;
    mutable(held).isWatched = false;
    // Whoever has taken the function keeps it, and it does nothing more.
    if (!TAKEN_EARLY.includes(name)) {
      held.remove();
      heldCalls().delete(name);
    }
  };
}

/** Know of the calls that Node alone answers, for {@link hasChangesUnderWay} and {@link isUsedByPool}. */
export function watchPool(binding: FsBinding): Undo {
  const names = [...CHANGING_CALLS, 'readBuffers'] as const;
  return undoAll([...names.map((name) => answerInline(binding, name, toNode)), watchWriteJobs(binding)]);
}

/** Node 26 writes a whole file by a call of its own. */
function watchWriteJobs({ WriteFileJob: Job }: FsBinding): Undo {
  if (Job === undefined) return () => undefined;
  return replaceMethod<FileJob['run']>(
    Job.prototype,
    'run',
    (original) =>
      function (this: FileJob, ...args) {
        const { ondone } = this;
        changes++;
        mutable(this).ondone = function (this: unknown, ...results) {
          endChange();
          return ondone && Reflect.apply(ondone, this, results);
        };
        const failure = original.apply(this, args);
        // It has not begun, and does not call back.
        if (failure !== undefined) endChange();
        return failure;
      },
  );
}

/**
 * Have FileHandles close without the thread pool.
 *
 * @param close closes a descriptor, after it has called `release`, where that waits for nothing; else it does neither
 */
export function closeHandlesInline(
  { FileHandle }: FsBinding,
  close: (fd: number, release: () => void) => InlineAnswer | undefined,
): Undo {
  return replaceMethod<NativeFileHandle['close']>(
    FileHandle.prototype,
    'close',
    (original) =>
      function (this: NativeFileHandle) {
        const answer = close(this.fd, () => this.releaseFD());
        return answer === undefined ? original.call(this) : (promiseOf(answer) as Promise<void>);
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
 * Have whole files read without the thread pool, where `read` answers with their bytes. Before Node 26 `readFile` opens, reads and
 * closes by calls of their own, and there is nothing to do.
 */
export function readFilesInline(binding: FsBinding, read: (path: string) => InlineAnswer | undefined): Undo {
  const { ReadFileJob: Job } = binding;
  if (Job === undefined) return () => undefined;
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
