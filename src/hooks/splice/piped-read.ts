import { hiddenSlot } from '../../node/hidden-slot.js';
import type { NetSocket } from '../../node/net.js';
import { isNodesOwn } from '../../node/own-source.js';
import { replaceOwn } from '../../node/patch/own-methods.js';
import type { Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { closeThreadPipe } from './kernel-pipe.js';
import { Pair, type PairContext } from './pair.js';

type Read = NetSocket['_read'];

const pairs = hiddenSlot<NetSocket, Pair>();

function makeRead(hookContext: HookContext, isInstalled: () => boolean, original: Read): Read {
  const calls = (): ReturnType<PairContext['calls']> => hookContext.platform().splicing();
  const context: PairContext = {
    calls,
    isInstalled,
    read: original,
    sendsRegions: (writeGeneric) => isNodesOwn(writeGeneric, 'Socket._writeGeneric'),
    isStreamSocket: (fd) => calls()?.isStreamSocket(fd) ?? false,
  };
  return function (this: NetSocket, size) {
    if (this._readableState.pipes.length === 0 || this.connecting || this._handle === null) {
      return original.call(this, size);
    }
    const pair = pairs.get(this);
    if (pair !== undefined) return pair.onRead(size);
    pairs.set(this, new Pair(context, this));
    return original.call(this, size);
  };
}

function install(context: HookContext): Undo | undefined {
  if (!context.splices) return undefined;
  let isInstalled = true;
  const undo = replaceOwn('Socket._read', (original) => makeRead(context, () => isInstalled, original));
  if (undo === undefined) return undefined;
  return () => {
    isInstalled = false;
    undo();
    closeThreadPipe();
  };
}

/** Sockets that are piped to sockets: whole buffers of bytes go past JavaScript. */
export const spliceHook: Hook = { name: 'splice', install };
