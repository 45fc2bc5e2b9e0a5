// docs/costs.md: what a request costs in frameworks, and where that time goes.

import { tableText } from '../../bench/page/markdown.js';
import type { Results, Runs, ScenarioResult } from '../../bench/results.js';

const INTRODUCTION = `# What a request costs

Made by \`npm run bench:figures\` from what \`npm run bench -- --only frameworks --only profile\` measured: the CPU time of the server
for one request, in all its threads, by the kernel's clock. Stock and tuned take turns in short rounds. Servers use all cores, as most
do.
`;

const WHERE = `## Where the time goes

In stock Node a file of 10 KB takes four trips to the thread pool: stat, open, read, close. Each wakes a thread, which wakes the main
thread again. These trips are most of the file's cost. If the kernel has the file in memory, none is needed. Express, send and Node's
HTTP cost the same as before.
`;

const CALLS = `## Our system calls for one file

These are the calls for a file of 10 KB that was requested a moment ago, after \`fs.stat\`, as \`strace\` shows them:

| call | what for |
| --- | --- |
| stat | the app's own \`fs.stat\`, by Node's synchronous call |
| openat | the stream's file, by Node's synchronous call |
| statx | is it a regular file, on a file system that we know, and small? |
| statx | its size at the time of the read |
| preadv2 | its bytes |
| sendto | headers and bytes |
| statx | has it grown since? Else the stream ends |
| close | by Node's synchronous call |

## What limits it

- Of a tuned request of Express, most is JavaScript of Express, send, Node's HTTP and streams, and V8's own code for it. nginx has none of
  that.
- On **one core** the gain is smaller, because threads that share a core need not be woken across cores: 10 KB by Express 0.85 of stock, 100 KB
  0.36, 1 MB 0.12 (the same benchmark, each server bound to a core).
- **Files by HTTPS** are encrypted in the process. The thread pool is saved, and a fresh buffer for each chunk, which V8 would have to collect.
- **\`fs.readFile\` of more than 128 KB** is left to the thread pool, because such a copy would block the loop. V8's garbage collector frees
  the large buffers, which is up to half of their cost. It works late once its young generation has grown. Streams do not have this cost.
`;

function find({ scenarios }: Results, name: string): ScenarioResult | undefined {
  return scenarios.find((one) => one.name === name);
}

function notesOf(scenario: ScenarioResult | undefined): string {
  return (scenario?.notes ?? []).map((note) => `- ${note}`).join('\n');
}

/** The page in Markdown. Without results of its scenarios it has the text alone. */
export function costsPage([results]: Runs): string {
  const [frameworks, profile] = [find(results, 'frameworks'), find(results, 'profile')];
  const { kernel, node, cores, cpu } = results.machine;
  return [
    INTRODUCTION,
    `Linux ${kernel}, Node ${node}, ${cores} × ${cpu}, ${results.date.slice(0, 10)}.\n`,
    ...(frameworks?.tables ?? []).map((table) => `${tableText(table)}\n`),
    `${notesOf(frameworks)}\n`,
    WHERE,
    ...(profile?.tables ?? []).map((table) => `${tableText(table)}\n`),
    `${notesOf(profile)}\n`,
    CALLS,
  ].join('\n');
}
