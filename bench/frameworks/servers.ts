import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/report/report.js';
import { type Contender, stock, tuned } from '../contenders.js';
import { PRELOAD } from '../machine.js';
import { startNginx } from '../nginx.js';
import { startNext } from './next.js';
import { NEXT, type Subject } from './subjects.js';

/** How the files of a tuned app went. */
export type Ways = Report['files'];

/** Where servers find what they need. */
export interface Place {
  readonly files: string;
  readonly scratch: string;
  /** Files for HTTPS. */
  readonly certificate?: { readonly key: string; readonly cert: string };
}

function reportIn({ scratch }: Place): string {
  return join(scratch, 'report.json');
}

function nextPair(report: string): Promise<Contender>[] {
  const named = async (name: string, server: ReturnType<typeof startNext>): Promise<Contender> => ({
    name,
    server: await server,
  });
  return [
    named('stock', startNext([])),
    named('tuned', startNext(['--import', PRELOAD], { SOCKET_TUNE_REPORT: report })),
  ];
}

function secureVariables({ certificate }: Place): Record<string, string> {
  if (certificate === undefined) throw new Error('HTTPS needs a certificate');
  return { KEY: certificate.key, CERT: certificate.cert };
}

function pair(subject: Subject, place: Place): Promise<Contender>[] {
  const report = reportIn(place);
  if (subject === NEXT) return nextPair(report);
  const environment = { FILES: place.files, ...(subject.protocol === 'https' ? secureVariables(place) : {}) };
  const app = `frameworks/apps/${subject.app}`;
  return [stock(app, environment), tuned(app, { ...environment, SOCKET_TUNE_REPORT: report })];
}

async function nginx({ files, scratch }: Place): Promise<Contender> {
  return { name: 'nginx', server: await startNginx(files, join(scratch, 'nginx')) };
}

/** The stock and the tuned app of a subject, and nginx if wanted. */
export function lineupOf(subject: Subject, place: Place, withNginx: boolean): Promise<Contender>[] {
  return [...pair(subject, place), ...(withNginx ? [nginx(place)] : [])];
}

/** What the last tuned app reported at its end, once. */
export function takeReport(place: Place): Ways | undefined {
  const file = reportIn(place);
  if (!existsSync(file)) return undefined;
  const { files } = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(file);
  return files;
}
