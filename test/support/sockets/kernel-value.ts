import { readFileSync } from 'node:fs';
import { loadLibc } from '../../../src/native/libc.js';
import { linuxPlatform } from '../../../src/native/linux.js';
import type { Platform } from '../../../src/native/platform.js';
import type { SocketHandle } from '../../../src/node/net.js';

let current: Platform | undefined;

/** The platform of the tests. Made on first use, as it loads koffi. The tests of native/ do not rely on it. */
export function linux(): Platform {
  current ??= linuxPlatform(loadLibc());
  return current;
}

/** The kernel's value of a socket option. */
export function kernelValue(handle: SocketHandle, name: string): number {
  const constant = linux().constants[name];
  if (constant === undefined) throw new Error(`Linux has no ${name}`);
  const value = new Int32Array(1);
  const errno = linux().get(handle, constant, value);
  if (errno !== 0) throw new Error(`getsockopt of ${name} failed with errno ${errno}`);
  return value[0] ?? Number.NaN;
}

/** Sets an option without Node and socket-tune knowing, for a known initial state. */
export function setKernelValue(handle: SocketHandle, name: string, value: number): void {
  const constant = linux().constants[name];
  if (constant === undefined) throw new Error(`Linux has no ${name}`);
  const errno = linux().set(handle, constant, Int32Array.of(value));
  if (errno !== 0) throw new Error(`setsockopt of ${name} failed with errno ${errno}`);
}

/** Numbers of a sysctl below net. */
export function sysctl(name: string): number[] {
  return readFileSync(`/proc/sys/net/${name}`, 'utf8').trim().split(/\s+/).map(Number);
}
