import type { FileCalls } from '../native/platform.js';
import type { WritePart } from '../node-internals.js';
import type { FileRegion } from './file-region.js';

/** Whose bytes are in the staging buffer. */
let staged: FileRegion | undefined;

/** Read a window of a small file ahead, if that needs no disk. */
export function stageWindow(files: FileCalls, fd: number, position: number, count: number): boolean {
  staged = undefined;
  return files.stage(fd, position, count);
}

/** The window that was read ahead has become this region. */
export function holdStaged(region: FileRegion): void {
  staged = region;
}

/** Have the bytes of a region, of which none has been sent, in the staging buffer: mostly they still are. */
function stageRegion(files: FileCalls, region: FileRegion): boolean {
  if (staged === region) return true;
  if (!stageWindow(files, region.descriptor.fd, region.position, region.count)) return false;
  staged = region;
  return true;
}

function lengthOf({ chunk, encoding }: WritePart): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, bufferEncoding(encoding)) : chunk.length;
}

/** Writable has turned every other encoding into a Buffer, or passes the name on; 'buffer' goes with Buffers alone. */
export function bufferEncoding(name: string): BufferEncoding {
  return Buffer.isEncoding(name) ? name : 'utf8';
}

function put(buffer: Buffer, { chunk, encoding }: WritePart, at: number): number {
  if (typeof chunk === 'string') return at + buffer.write(chunk, at, bufferEncoding(encoding));
  buffer.set(chunk, at);
  return at + chunk.length;
}

/** What goes ahead of a small region, and its own bytes, in one piece. */
export interface StagedBytes {
  readonly bytes: Buffer;
  /** How many of them go ahead. */
  readonly lead: number;
}

/** Undefined if what goes ahead is too much, or the region's bytes are not in the page cache. It is valid until the next call. */
export function stage(files: FileCalls, ahead: readonly WritePart[], region: FileRegion): StagedBytes | undefined {
  const { buffer, lead, room } = files.staging;
  let length = 0;
  for (const part of ahead) length += lengthOf(part);
  if (length > lead || region.count > room || !stageRegion(files, region)) return undefined;
  let at = lead - length;
  for (const part of ahead) at = put(buffer, part, at);
  return { bytes: buffer.subarray(lead - length, lead + region.count), lead: length };
}
