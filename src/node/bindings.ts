import { isNodesOwn } from './own-source.js';

/** Versions of Node whose native functions we have seen. No others are touched. */
const KNOWN_MAJORS: ReadonlySet<number> = new Set([20, 22, 23, 24, 25, 26]);

/**
 * The native functions below one of Node's modules (lib/internal/bootstrap/realm.js); undefined if they cannot be had.
 *
 * Under `--pending-deprecation` asking for them would print a warning, and under `--permission` they are not to be had.
 */
export function internalBinding(name: 'fs' | 'tcp_wrap' | 'pipe_wrap'): unknown {
  const [major = Number.NaN] = process.versions.node.split('.').map(Number);
  const { binding } = process as { readonly binding?: (name: string) => unknown };
  if (!KNOWN_MAJORS.has(major) || !isNodesOwn(binding, 'process.binding')) return undefined;
  try {
    return Reflect.apply(binding, process, [name]);
  } catch {
    return undefined;
  }
}

/**
 * What Node's own JavaScript calls for all that `fs` does (src/node_file.cc): `fs.stat`, its promise, a copy of either that an app
 * took when it was loaded, a FileHandle, a stream. Without a request the call is synchronous, and throws. Its functions count their
 * arguments, so they are handed on as they came. Test: hooks/fs/answers.
 */
export interface FsBinding {
  stat(...args: unknown[]): unknown;
  lstat(...args: unknown[]): unknown;
  fstat(...args: unknown[]): unknown;
  access(...args: unknown[]): unknown;
  realpath(...args: unknown[]): unknown;
  open(...args: unknown[]): unknown;
  openFileHandle(...args: unknown[]): unknown;
  close(...args: unknown[]): unknown;
  read(...args: unknown[]): unknown;
  readBuffers(...args: unknown[]): unknown;
  readlink(...args: unknown[]): unknown;
  rename(...args: unknown[]): unknown;
  ftruncate(...args: unknown[]): unknown;
  rmdir(...args: unknown[]): unknown;
  mkdir(...args: unknown[]): unknown;
  mkdtemp(...args: unknown[]): unknown;
  link(...args: unknown[]): unknown;
  symlink(...args: unknown[]): unknown;
  unlink(...args: unknown[]): unknown;
  copyFile(...args: unknown[]): unknown;
  writeBuffer(...args: unknown[]): unknown;
  writeBuffers(...args: unknown[]): unknown;
  writeString(...args: unknown[]): unknown;
  chmod(...args: unknown[]): unknown;
  fchmod(...args: unknown[]): unknown;
  chown(...args: unknown[]): unknown;
  fchown(...args: unknown[]): unknown;
  lchown(...args: unknown[]): unknown;
  utimes(...args: unknown[]): unknown;
  futimes(...args: unknown[]): unknown;
  lutimes(...args: unknown[]): unknown;
  statfs(...args: unknown[]): unknown;
  readonly FSReqCallback: new (bigint?: boolean) => FsRequest;
  /** Stands for a request where a promise is asked for. */
  readonly kUsePromises: symbol;
  readonly FileHandle: (new (fd: number) => NativeFileHandle) & { readonly prototype: NativeFileHandle };
  /** Node 26: open, fstat, read and close of a small file in one trip to the thread pool. */
  readonly ReadFileJob?: (new (...args: unknown[]) => ReadFileJob) & { readonly prototype: ReadFileJob };
  /** Node 26. */
  readonly WriteFileJob?: { readonly prototype: FileJob };
}

/** Called back with an error or null, and then with what the call has brought, if that is anything. */
export interface FsRequest {
  readonly oncomplete?: (...args: unknown[]) => unknown;
}

/** What a FileHandle of `node:fs/promises` holds. */
export interface NativeFileHandle {
  readonly fd: number;
  close(): Promise<void>;
  /** Leave the descriptor to the caller. */
  releaseFD(): void;
}

/** A whole file in one trip to the thread pool. */
export interface FileJob {
  readonly ondone?: (...args: unknown[]) => unknown;
  /** Returns an error if it could not begin. */
  run(...args: unknown[]): unknown;
}

export interface ReadFileJob {
  readonly ondone?: (...args: unknown[]) => unknown;
  /** Of `fs.readFile` with a callback; see ReadFileContext in lib/internal/fs/read/context.js. */
  readonly context?: { readonly options?: { readonly flag?: unknown } };
  /** Returns an error if it could not begin. */
  run(path: string): unknown;
}

/** Where one of the calls is another's already (mock-fs), none is ours. */
const CALLS = [
  'stat',
  'lstat',
  'fstat',
  'access',
  'realpath',
  'open',
  'openFileHandle',
  'close',
  'read',
  'readBuffers',
] as const;

/** Calls that change files, besides those that open a file for more than reading. */
export const CHANGING_CALLS = [
  'rename',
  'ftruncate',
  'rmdir',
  'mkdir',
  'mkdtemp',
  'link',
  'symlink',
  'unlink',
  'copyFile',
  'writeBuffer',
  'writeBuffers',
  'writeString',
  'chmod',
  'fchmod',
  'chown',
  'fchown',
  'lchown',
  'utimes',
  'futimes',
  'lutimes',
] as const satisfies readonly (keyof FsBinding)[];

export type FsCall = (typeof CALLS)[number] | (typeof CHANGING_CALLS)[number];

/** What a call has come to without the thread pool: a value, or an error. */
export interface InlineAnswer {
  readonly error?: Error;
  readonly value?: unknown;
}

/** Answers the arguments of an asynchronous call; undefined leaves the call to Node. */
export type InlineCall = (args: ArrayLike<unknown>) => InlineAnswer | undefined;

/** A function of the binding that we stand before. */
export interface HeldCall {
  readonly original: FsBinding[FsCall];
  /** What stands in the binding. */
  readonly wrapper: FsBinding[FsCall];
  readonly answer: InlineCall | undefined;
  /** Whether changes are counted. */
  readonly isWatched: boolean;
  /** How many calls with a callback the thread pool has, by descriptor. */
  readonly underWay: ReadonlyMap<number, number>;
  /** Put the original back, unless somebody else stands before us. */
  remove(): void;
}

/** Channels are one registry a thread: the preload holds the calls, and the runtime, which has a copy of this file, finds them. */
const HELD = Symbol.for('socket-tune:held-fs-calls');
const registry: object = process.getBuiltinModule('node:diagnostics_channel').channel(HELD);

export function heldCalls(): Map<FsCall, HeldCall> {
  const known: unknown = Reflect.get(registry, HELD);
  if (known instanceof Map) return known;
  const made = new Map<FsCall, HeldCall>();
  Reflect.set(registry, HELD, made);
  return made;
}

function isNative(value: unknown): boolean {
  return typeof value === 'function' && Function.prototype.toString.call(value).includes('[native code]');
}

function isOwn(name: FsCall, value: unknown): boolean {
  return value === heldCalls().get(name)?.wrapper || isNative(value);
}

function isKnownBinding(value: unknown): value is FsBinding {
  if (typeof value !== 'object' || value === null) return false;
  const { FSReqCallback, kUsePromises, FileHandle } = value as Partial<FsBinding>;
  return (
    isNative(FSReqCallback) &&
    typeof kUsePromises === 'symbol' &&
    isNative(FileHandle?.prototype?.releaseFD) &&
    [...CALLS, ...CHANGING_CALLS].every((name) => isOwn(name, Reflect.get(value, name)))
  );
}

/** The binding, if it is Node's own and as we know it. A wrong number of arguments would end the process. */
export function fsBinding(): FsBinding | undefined {
  const found = internalBinding('fs');
  return isKnownBinding(found) ? found : undefined;
}
