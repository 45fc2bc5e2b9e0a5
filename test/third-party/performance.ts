import { extname, join } from 'node:path';
import { type EndedProcess, startNode } from '../support/processes/node-process.js';
import { repository } from '../support/processes/scratch-project.js';
import type { WireResponse } from '../support/sockets/http-wire.js';
import { breakOff } from './client.js';
import { ask, FILE_QUESTIONS, furtherQuestions, headerOf, requestText } from './requests.js';
import { filesLeftOpen, siteDirectory } from './site.js';

/** What an app did. */
export interface Performance {
  readonly answers: ReadonlyMap<string, readonly WireResponse[]>;
  /** The answer to a request after the downloads that were broken off. */
  readonly afterwards: readonly WireResponse[];
  readonly leftOpen: number;
  readonly process: EndedProcess;
}

const BROKEN_OFF = 6;

async function breakDownloadsOff(port: number): Promise<void> {
  const request = requestText({ path: '/film.mp4' });
  const all = Array.from({ length: BROKEN_OFF }, (_, index) =>
    breakOff(port, request, index % 2 === 0 ? 'destroy' : 'resetAndDestroy'),
  );
  await Promise.all(all);
}

/** Start an app, ask it everything, break downloads off, ask once more, and end it by SIGTERM. */
export async function perform(app: string, preload: readonly string[]): Promise<Performance> {
  const file = join(repository, 'test/third-party/apps', extname(app) === '' ? `${app}.js` : app);
  const env = { ROOT: siteDirectory(), NODE_ENV: 'production' };
  const server = startNode([...preload, file], { env, timeout: 40_000 });
  const [, digits] = await server.until(/^(\d+)\n/);
  const port = Number(digits);
  const answers = new Map<string, readonly WireResponse[]>();
  for (const question of FILE_QUESTIONS) answers.set(question.title, await ask(port, question));
  const [first] = answers.get('a large file') ?? [];
  const known = [headerOf(first, 'etag') ?? '"none"', headerOf(first, 'last-modified') ?? 'never'] as const;
  for (const question of furtherQuestions(...known)) answers.set(question.title, await ask(port, question));
  await breakDownloadsOff(port);
  const afterwards = await ask(port, { title: 'afterwards', requests: [{ path: '/page.htm' }] });
  const leftOpen = await filesLeftOpen(server.child.pid ?? 0);
  server.child.kill('SIGTERM');
  return { answers, afterwards, leftOpen, process: await server.ended };
}
