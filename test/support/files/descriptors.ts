import { readdirSync, readlinkSync } from 'node:fs';

/** Where a descriptor leads. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // That of the directory itself is closed.
    return '';
  }
}

/** How many descriptors the process has open. A tuned process has one event descriptor more, from its first listener on. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => !linkOf(fd).includes('[eventfd]')).length;
}
