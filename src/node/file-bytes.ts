import { hiddenSlot } from './hidden-slot.js';
import type { SocketHandle } from './internals.js';

/** Bytes that went past a handle by sendfile: libuv counts only those that it wrote itself. */
export const fileBytes = hiddenSlot<SocketHandle, { bytes: number }>();
