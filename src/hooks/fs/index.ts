import { fsBinding } from '../../node/fs-binding.js';
import { answerInline, closeHandlesInline, readFilesInline } from '../../node/patch/fs-binding.js';
import { allOrNone, type Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import type { FsContext } from './cached-files.js';
import { answerClose, answerFstat, answerOpen, mayCloseInline } from './descriptors.js';
import { answerAccess, answerRealpath, answerStat } from './lookups.js';
import { answerRead, answerReadFile } from './reads.js';

function install(hookContext: HookContext): Undo | undefined {
  const binding = fsBinding();
  if (binding === undefined) return undefined;
  const { access, open, close, readlink, FileHandle } = binding;
  const context: FsContext = {
    binding,
    files: () => hookContext.platform().files,
    node: {
      access: (path, mode) => void Reflect.apply(access, binding, [path, mode]),
      open: (path, flags, mode) => Number(Reflect.apply(open, binding, [path, flags, mode])),
      close: (fd) => void Reflect.apply(close, binding, [fd]),
      readlink: (path, encoding) => String(Reflect.apply(readlink, binding, [path, encoding])),
    },
  };
  return allOrNone([
    () => answerInline(binding, 'stat', (args) => answerStat(context, 'stat', args)),
    () => answerInline(binding, 'lstat', (args) => answerStat(context, 'lstat', args)),
    () => answerInline(binding, 'fstat', (args) => answerFstat(context, args)),
    () => answerInline(binding, 'access', (args) => answerAccess(context, args)),
    () => answerInline(binding, 'realpath', (args) => answerRealpath(context, args)),
    () => answerInline(binding, 'open', (args) => answerOpen(context, args)),
    () => answerInline(binding, 'openFileHandle', (args) => answerOpen(context, args, (fd) => new FileHandle(fd))),
    () => answerInline(binding, 'close', (args) => answerClose(context, args)),
    () => answerInline(binding, 'read', (args) => answerRead(context, args)),
    () => closeHandlesInline(binding, (fd) => mayCloseInline(context, fd), context.node.close),
    () => readFilesInline(binding, (path) => answerReadFile(context, path)) ?? (() => undefined),
  ]);
}

/** What the kernel has in memory does without the thread pool, whoever asks for it by `fs` or its promises. */
export const fsHook: Hook = { name: 'fs', install };
