import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileRound } from '../finding.js';
import { ask } from './client.js';

/** A small file, one that fits a window, and one that goes by sendfile(2). */
const SIZES = [100, 10_000, 1_000_000];

/** The first answers of a directory find an unknown file system, and open their files in the thread pool. */
const REPETITIONS = 3;

/** include/uapi/linux/magic.h */
const FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x9123683e, 'btrfs'],
  [0x58465342, 'xfs'],
]);

interface SampleFile {
  readonly path: string;
  readonly bytes: number;
  readonly hash: string;
}

function hashOf(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export function writeFiles(directory: string): SampleFile[] {
  mkdirSync(directory, { recursive: true });
  return SIZES.map((bytes) => {
    const path = join(directory, `${bytes}.bin`);
    const data = randomBytes(bytes);
    writeFileSync(path, data, { flush: true });
    return { path, bytes, hash: hashOf(data) };
  });
}

export function filesystemOf(directory: string): string {
  const { type } = statfsSync(directory);
  return FILESYSTEMS.get(type) ?? (type === 0 ? 'unknown' : `0x${type.toString(16)}`);
}

/** The part of a report that is about files. */
interface FileCounters {
  readonly sendfileBytes: number;
  readonly copiedBytes: Readonly<Record<string, number>>;
  readonly notRerouted: Readonly<Record<string, number>>;
  readonly inlineCalls: Readonly<Record<string, number>>;
  readonly pooledCalls: Readonly<Record<string, number>>;
}

/** How to ask the app for a file, and its preload for its counters. */
export interface Asked {
  readonly app: string;
  readonly inspector: string;
}

async function countersOf({ inspector }: Asked): Promise<FileCounters> {
  const { status, body } = await ask(`${inspector}/snapshot.json`);
  if (status !== 200) throw new Error(`the snapshot: ${status} ${body}`);
  const { report } = JSON.parse(String(body)) as { report: { files: FileCounters } };
  return report.files;
}

async function isAnsweredRight({ app }: Asked, { path, bytes, hash }: SampleFile): Promise<boolean> {
  const { status, body } = await ask(`${app}/files?path=${encodeURIComponent(path)}`);
  return status === 200 && body.length === bytes && hashOf(body) === hash;
}

function growth(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const grown = Object.entries(after).map(([reason, count]): [string, number] => [
    reason,
    count - (before[reason] ?? 0),
  ]);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Fetch the files of a directory, and see how their bytes went. */
export async function fetchFiles(
  asked: Asked,
  round: FileRound['round'],
  directory: string,
  files: readonly SampleFile[],
): Promise<FileRound> {
  const wanted = Array.from({ length: round === 'cold' ? 1 : REPETITIONS }, () => files).flat();
  const before = await countersOf(asked);
  let correct = 0;
  for (const file of wanted) if (await isAnsweredRight(asked, file)) correct++;
  const after = await countersOf(asked);
  return {
    round,
    filesystem: filesystemOf(directory),
    answers: wanted.length,
    correct,
    bytes: wanted.reduce((total, { bytes }) => total + bytes, 0),
    sendfileBytes: after.sendfileBytes - before.sendfileBytes,
    copiedBytes: growth(before.copiedBytes, after.copiedBytes),
    notRerouted: growth(before.notRerouted, after.notRerouted),
    inlineCalls: sum(after.inlineCalls) - sum(before.inlineCalls),
    pooledCalls: growth(before.pooledCalls, after.pooledCalls),
  };
}
