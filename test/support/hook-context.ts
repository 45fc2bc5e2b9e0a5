import type { HookContext } from '../../src/hooks/context.js';
import type { Platform, SocketConstant } from '../../src/native/platform.js';
import type { SocketHandle } from '../../src/node/net.js';
import type { OptionValues } from '../../src/options/table.js';
import { linux } from './sockets/kernel-value.js';

/** A call of a platform, and the state that the socket was in. */
export interface ObservedCall {
  readonly call: 'set' | 'get';
  /** The constant's name in the system's headers. */
  readonly constant: string;
  readonly value: number;
  readonly fd: number;
  readonly isBound: boolean;
  readonly listens: boolean;
}

/** The running kernel, with notes of what it was asked. */
export interface ObservedPlatform extends Platform {
  readonly calls: ObservedCall[];
}

/** Linux, include/uapi/asm-generic/socket.h SO_ACCEPTCONN: whether listen(2) was called. */
const LISTENS: SocketConstant = { level: 1, name: 30 };

export function listens(handle: SocketHandle): boolean {
  const answer = new Int32Array(1);
  return linux().get(handle, LISTENS, answer) === 0 && answer[0] === 1;
}

/** TCP only: a Unix socket has a path instead. */
export function isBound(handle: SocketHandle): boolean {
  const name: { port?: number } = {};
  const getsockname: unknown = Reflect.get(handle, 'getsockname');
  if (typeof getsockname === 'function') Reflect.apply(getsockname, handle, [name]);
  return (name.port ?? 0) > 0;
}

export function observedPlatform(overrides: Partial<Platform> = {}): ObservedPlatform {
  const platform = { ...linux(), ...overrides };
  const calls: ObservedCall[] = [];
  const note = (call: 'set' | 'get', handle: SocketHandle, constant: SocketConstant, value: number): void => {
    const name = Object.entries(platform.constants).find(([, candidate]) => candidate === constant)?.[0] ?? '?';
    const fd = handle.fd ?? -1;
    calls.push({ call, constant: name, value, fd, isBound: isBound(handle), listens: listens(handle) });
  };
  return {
    ...platform,
    calls,
    set(handle, constant, value) {
      note('set', handle, constant, value[0] ?? Number.NaN);
      return platform.set(handle, constant, value);
    },
    get(handle, constant, value) {
      const result = platform.get(handle, constant, value);
      note('get', handle, constant, value[0] ?? Number.NaN);
      return result;
    },
  };
}

/** What a hook goes by. */
export function hookContext(values: OptionValues, platform: Platform, rest: Partial<HookContext> = {}): HookContext {
  return {
    values,
    ports: {},
    outgoing: undefined,
    outgoingPorts: {},
    guards: rest.outgoing !== undefined,
    guardsOnly: false,
    asked: new Set(),
    exactBuffers: false,
    isListenedFor: false,
    primaryMark: {},
    sendfile: undefined,
    answersFs: true,
    batchesDatagrams: false,
    splices: true,
    keepAliveTime: undefined,
    drain: undefined,
    platform: () => platform,
    ...rest,
  };
}
