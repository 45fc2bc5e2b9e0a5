import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { until } from '../until.js';

/** Descriptors of this process that are open on a file of this name. */
export function descriptorsOf(path: string): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => target(fd) === path);
}

/** Waits until none is left, as Node closes files in the thread pool. Returns those that are still open after a long time. */
export async function descriptorsLeftOf(path: string): Promise<number[]> {
  await until(`${path} is closed`, () => descriptorsOf(path).length === 0).catch(() => undefined);
  return descriptorsOf(path);
}

function target(fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // The one that listed the directory.
    return undefined;
  }
}

function fdinfo(fd: number, field: string, radix: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  return Number.parseInt(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '', radix);
}

/** Where reads of a descriptor go on. */
export function positionOf(fd: number): number {
  return fdinfo(fd, 'pos', 10);
}

const O_CLOEXEC = 0o2000000;

/** Whether child processes do without the descriptor. */
export function isCloseOnExec(fd: number): boolean {
  return (fdinfo(fd, 'flags', 8) & O_CLOEXEC) !== 0;
}

/** How many descriptors of this process are the kernel's pipes. */
export function kernelPipes(): number {
  return readdirSync('/proc/self/fd').filter((fd) => target(Number(fd))?.startsWith('pipe:')).length;
}

function isEvent(fd: string): boolean {
  return target(Number(fd))?.includes('[eventfd]') === true;
}

/** How many descriptors of this process are event descriptors. libuv has some too. */
export function eventDescriptors(): number {
  return readdirSync('/proc/self/fd').filter(isEvent).length;
}

/** How many descriptors the process has open. A tuned process has one event descriptor more, from its first listener on: these are left out. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => !isEvent(fd)).length;
}
