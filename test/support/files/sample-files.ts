import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchProject } from '../processes/scratch-project.js';
import { content } from './content.js';

/** Sizes of the sample files, by name: around Node's chunk (64 KiB), around a window (1 MiB), and far above both. */
export const SAMPLE_SIZES = {
  '0': 0,
  '1': 1,
  '100': 100,
  '10k': 10 << 10,
  '64k': 64 << 10,
  '64k-and-1': (64 << 10) + 1,
  '100k': 100_000,
  '1m': 1 << 20,
  '1m-and-1': (1 << 20) + 1,
  '3m': 3 << 20,
  '20m': 20 << 20,
} as const;

export type SampleName = keyof typeof SAMPLE_SIZES;

/** The bytes of a sample file, the same every time; those of another file differ. */
export function sampleBytes(name: SampleName): Buffer {
  const size = SAMPLE_SIZES[name];
  return content(size, size + 1);
}

/** Put the sample files into a directory of the scratch project. */
export function sampleDirectory(): string {
  const directory = join(scratchProject(), 'samples');
  if (existsSync(directory)) return directory;
  mkdirSync(directory);
  for (const name of Object.keys(SAMPLE_SIZES)) {
    if (isSampleName(name)) writeFileSync(join(directory, name), sampleBytes(name));
  }
  return directory;
}

function isSampleName(name: string): name is SampleName {
  return Object.hasOwn(SAMPLE_SIZES, name);
}
