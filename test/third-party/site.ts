import { existsSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SampleName, sampleBytes } from '../support/files/sample-files.js';
import { scratchProject } from '../support/processes/scratch-project.js';

/** Files under names as sites have them; several apps go by the extension. */
const SITE = {
  'data.bin': '1m-and-1',
  'empty.txt': '0',
  'small one.txt': '10k',
  'page.htm': '64k-and-1',
  'film.mp4': '20m',
} as const satisfies Readonly<Record<string, SampleName>>;

/** Put them into a directory of the scratch project. */
export function siteDirectory(): string {
  const directory = join(scratchProject(), 'site');
  if (existsSync(directory)) return directory;
  mkdirSync(directory);
  for (const [name, sample] of Object.entries(SITE)) writeFileSync(join(directory, name), sampleBytes(sample));
  return directory;
}

function openFiles(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).filter((fd) => target(join(directory, fd)).startsWith(siteDirectory())).length;
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    // Closed in the meantime.
    return '';
  }
}

/** How many descriptors of the site's files a process keeps: their number when there are none, or it changes no more. */
export async function filesLeftOpen(pid: number): Promise<number> {
  let count = openFiles(pid);
  for (let still = 0; count > 0 && still < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = openFiles(pid);
    still = now === count ? still + 1 : 0;
    count = now;
  }
  return count;
}
