import { type FsBinding, fsBinding, type InlineAnswer } from '../../node/bindings.js';
import {
  answerInline,
  closeHandlesInline,
  hasChangesUnderWay,
  readFilesInline,
  watchPool,
} from '../../node/patch/fs-binding.js';
import { allOrNone, type Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { type Answer, counted } from './answer.js';
import type { FsContext, SynchronousCalls } from './cached-files.js';
import { answerClose, answerFstat, answerOpen, closeHandle, wrapInHandle } from './descriptors.js';
import { answerAccess, answerRealpath, answerStat } from './lookups.js';
import { answerRead, answerReadFile } from './reads.js';

/** Taken before they are replaced. */
function synchronousCalls(binding: FsBinding): SynchronousCalls {
  const { access, stat, lstat, open, close, readlink } = binding;
  const fields = (call: FsBinding['stat'], path: string): Float64Array | undefined => {
    const found = Reflect.apply(call, binding, [path, false, undefined, false]);
    return found instanceof Float64Array ? found : undefined;
  };
  return {
    access: (path, mode) => void Reflect.apply(access, binding, [path, mode]),
    stat: (path) => fields(stat, path),
    lstat: (path) => fields(lstat, path),
    open: (path, flags, mode) => Number(Reflect.apply(open, binding, [path, flags, mode])),
    close: (fd) => void Reflect.apply(close, binding, [fd]),
    readlink: (path, encoding) => String(Reflect.apply(readlink, binding, [path, encoding])),
  };
}

function install(hookContext: HookContext): Undo | undefined {
  const binding = hookContext.answersFs ? fsBinding() : undefined;
  if (binding === undefined) return undefined;
  const node = synchronousCalls(binding);
  // The native calls are loaded for the first call that may need them.
  let context: FsContext | undefined;
  const known = (name: string, answer: (context: FsContext) => Answer): InlineAnswer | undefined => {
    if (context === undefined) {
      const { files } = hookContext.platform();
      if (files === undefined) return counted(name, 'no-calls');
      context = { binding, node, files };
    }
    return counted(name, hasChangesUnderWay() ? 'changes-under-way' : answer(context));
  };
  return allOrNone([
    () => answerInline(binding, 'stat', (args) => known('stat', (of) => answerStat(of, 'stat', args))),
    () => answerInline(binding, 'lstat', (args) => known('lstat', (of) => answerStat(of, 'lstat', args))),
    () => answerInline(binding, 'fstat', (args) => known('fstat', (of) => answerFstat(of, args))),
    () => answerInline(binding, 'access', (args) => known('access', (of) => answerAccess(of, args))),
    () => answerInline(binding, 'realpath', (args) => known('realpath', (of) => answerRealpath(of, args))),
    () => answerInline(binding, 'open', (args) => known('open', (of) => answerOpen(of, args))),
    () =>
      answerInline(binding, 'openFileHandle', (args) =>
        known('open', (of) => answerOpen(of, args, (fd) => wrapInHandle(of, fd))),
      ),
    () => answerInline(binding, 'close', (args) => known('close', (of) => answerClose(of, args))),
    () => answerInline(binding, 'read', (args) => known('read', (of) => answerRead(of, args))),
    () => watchPool(binding),
    () => closeHandlesInline(binding, (fd, release) => known('close', (of) => closeHandle(of, fd, release))),
    () => readFilesInline(binding, (path) => known('readFile', (of) => answerReadFile(of, path))),
  ]);
}

/** What the kernel has in memory does without the thread pool, whoever asks for it by `fs` or its promises. */
export const fsHook: Hook = { name: 'fs', install };
