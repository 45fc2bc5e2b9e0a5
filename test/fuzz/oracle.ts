import type { Position } from './client.js';
import { bytesOf, contentOf, fillBlock, rangeOf } from './session/bytes.js';
import { type Exchange, type FileStep, SENDFILE_MIN, type Session } from './session/program.js';

/** What a step sends. */
export interface Item {
  readonly what: string;
  readonly bytes: Buffer;
  /** Bytes that may come instead, and from which offset on: the kernel shares a file's pages with what is being sent. */
  readonly shared?: {
    readonly from: number;
    readonly bytes: Buffer;
    readonly zeros: boolean;
    /** How few bytes there may be. */
    readonly shortest: number;
  };
}

export interface Difference {
  readonly offset: number;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** What the oracle has to be told, as it is no part of the program. */
export interface Seen {
  /** Files are sent by sendfile(2), so what docs/deviations.md says of sharing holds. */
  readonly isTuned: boolean;
  /** Blocks that each fill wrote. */
  readonly fills: readonly number[];
  /** How many bytes of the body had come when the client changed the file of a step. */
  receivedBefore(step: number): number;
}

/** How many bytes of a response's body had come, when a client had come so far. */
export function receivedOf(exchange: number, position: Position | undefined): number {
  if (position === undefined || position.exchange < exchange) return 0;
  return position.exchange === exchange ? position.bytes : Number.POSITIVE_INFINITY;
}

function sharing(step: FileStep, start: number, length: number, from: number): Item['shared'] {
  const { change } = step;
  if (change === undefined || length < SENDFILE_MIN) return undefined;
  const { what, to, by } = change;
  // A descriptor that was opened before still reads the old file.
  if (what === 'replaced' || what === 'removed') return undefined;
  const least = Math.min(length, Math.max(0, to.size - start));
  if (what === 'cut') return { from, bytes: Buffer.alloc(0), zeros: true, shortest: least };
  const bytes = contentOf(to).subarray(start);
  if (what === 'rewritten') return { from, bytes, zeros: false, shortest: length };
  // Another thread may find it empty, between the truncation and the write.
  return { from, bytes, zeros: true, shortest: by === 'server' ? least : 0 };
}

function fileItem(step: FileStep, session: Session, at: number, receivedBefore: number, isTuned: boolean): Item {
  const file = session.files[step.file];
  if (file === undefined) throw new Error(`no file ${step.file}`);
  const { start, length } = rangeOf(step, file.size);
  const shared = isTuned ? sharing(step, start, length, receivedBefore - at) : undefined;
  const bytes = contentOf(file).subarray(start, start + length);
  const change = step.change === undefined ? '' : `, ${step.change.what} on '${step.change.on}'`;
  return { what: `file ${step.file}${change}`, bytes, ...(shared === undefined ? {} : { shared }) };
}

/** All that an exchange sends, in order. */
export function itemsOf(session: Session, exchange: Exchange, seen: Seen): Item[] {
  if (exchange.method === 'HEAD') return [];
  const items: Item[] = [];
  const fills = [...seen.fills];
  let at = 0;
  for (const [index, step] of exchange.steps.entries()) {
    const what = `step ${index}, ${step.do}`;
    let item: Item | undefined;
    if (step.do === 'file') {
      const { what: file, ...rest } = fileItem(step, session, at, seen.receivedBefore(index), seen.isTuned);
      item = { what: `${what}, ${file}`, ...rest };
    } else if (step.do === 'fill') {
      const blocks = fills.shift() ?? 0;
      item = { what, bytes: Buffer.concat(Array.from({ length: blocks }, () => fillBlock(step.block))) };
    } else if ((step.do === 'write' || step.do === 'end') && step.data !== undefined) {
      item = { what, bytes: bytesOf(step.data) };
    }
    if (item === undefined) continue;
    items.push(item);
    at += item.bytes.length;
  }
  return items;
}

/** Whether less may come than was there. */
export function mayBeShort({ bytes, shared }: Item): boolean {
  return shared !== undefined && shared.shortest < bytes.length;
}

function firstDifference({ bytes, shared }: Item, got: Buffer): number | undefined {
  if (bytes.subarray(0, got.length).equals(got)) return undefined;
  for (let index = 0; index < got.length; index++) {
    if (got[index] === bytes[index]) continue;
    if (shared === undefined || index < shared.from) return index;
    if (got[index] !== shared.bytes[index] && !(shared.zeros && got[index] === 0)) return index;
  }
  return undefined;
}

function difference(received: Buffer, offset: number, what: string, expected: Buffer): Difference {
  const hex = (bytes: Buffer): string => bytes.subarray(0, 16).toString('hex');
  return { offset, what, expected: hex(expected), got: hex(received.subarray(offset)) };
}

/**
 * The first byte that is not what it must be.
 *
 * @param isWhole nothing has broken off, so that all must have come
 */
export function compare(received: Buffer, items: readonly Item[], isWhole: boolean): Difference | undefined {
  const missing = items.reduce((sum, { bytes }) => sum + bytes.length, 0) - received.length;
  let at = 0;
  for (const item of items) {
    const { bytes, shared } = item;
    const isCut = isWhole && missing > 0 && shared !== undefined && missing <= bytes.length - shared.shortest;
    const length = isCut ? bytes.length - missing : bytes.length;
    const got = received.subarray(at, at + length);
    const wrong = firstDifference(item, got);
    if (wrong !== undefined) return difference(received, at + wrong, item.what, bytes.subarray(wrong));
    at += got.length;
    if (got.length === length) continue;
    return isWhole ? difference(received, at, `${item.what}, the end`, bytes.subarray(got.length)) : undefined;
  }
  return received.length > at ? difference(received, at, 'after the end', Buffer.alloc(0)) : undefined;
}
