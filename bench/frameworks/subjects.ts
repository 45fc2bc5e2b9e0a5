import { type Body, kilobytes, sizeLabel } from '../scratch.js';
import { ANSWER } from './answer.js';

/** One app, stock and tuned, with what it is asked for. */
export interface Subject {
  readonly name: string;
  readonly app: string;
  readonly protocol: 'http' | 'https';
  readonly requests: readonly Request[];
  /** Also by nginx, in the same rounds. */
  readonly besideNginx?: true;
}

export interface Request {
  readonly body: Body;
  readonly label: string;
  readonly isFile: boolean;
  /** Not in a quick run. */
  readonly fullOnly?: true;
  /** Goal: greatest server CPU of the tuned app, as a share of the stock app's. */
  readonly goal?: number | undefined;
}

export const FILES = [kilobytes(10), kilobytes(100), kilobytes(1 << 10)] as const;

/** A file of each size, with the goals in the same order. */
function files(...goals: readonly (number | undefined)[]): Request[] {
  return FILES.map((body, index) => ({
    body,
    label: sizeLabel(body.bytes),
    isFile: true,
    goal: goals[index],
    ...(index === 0 ? {} : { fullOnly: true }),
  }));
}

/** A small answer that is no file. */
function json(goal: number): Request[] {
  return [{ body: { name: 'answer', bytes: JSON.stringify(ANSWER).length }, label: 'JSON', isFile: false, goal }];
}

export const SUBJECTS: readonly Subject[] = [
  { name: 'bare', app: 'bare', protocol: 'http', requests: files(0.4, 0.3, 0.22), besideNginx: true },
  { name: 'Express', app: 'express', protocol: 'http', requests: files(0.62, 0.35, 0.28) },
  { name: 'Fastify', app: 'fastify', protocol: 'http', requests: files(0.62, 0.35, 0.28) },
  { name: 'Koa', app: 'koa', protocol: 'http', requests: files(0.3, 0.3, 0.28) },
  { name: 'Hono', app: 'hono', protocol: 'http', requests: files() },
  { name: 'Nest, ServeStatic', app: 'nest-static', protocol: 'http', requests: files() },
  { name: 'Nest, StreamableFile', app: 'nest-stream', protocol: 'http', requests: files() },
  { name: 'Fastify, readFile', app: 'read-file', protocol: 'http', requests: files(0.75, 0.7) },
  { name: 'Fastify, await readFile', app: 'read-file-promises', protocol: 'http', requests: files(0.75, 0.7) },
  { name: 'bare', app: 'bare', protocol: 'https', requests: files(0.7, 0.52, 0.65) },
  { name: 'Express', app: 'express', protocol: 'https', requests: files(0.7, 0.52, 0.65) },
  { name: 'Express behind express.static', app: 'express', protocol: 'http', requests: json(0.8) },
  { name: 'Express alone', app: 'express-json', protocol: 'http', requests: json(1.01) },
];

/** Not one of ours: see next.ts. */
export const NEXT: Subject = { name: 'Next', app: 'next', protocol: 'http', requests: files() };
