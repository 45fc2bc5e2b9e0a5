import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { compressionHook } from '../../src/hooks/compression.js';
import type { Undo } from '../../src/hooks/patch.js';
import { readStreamHook } from '../../src/hooks/read-stream.js';
import { counters } from '../../src/report/counters.js';
import { content, digest } from '../support/content.js';
import { hookContext } from '../support/hook-context.js';
import { linux } from '../support/kernel-value.js';
import { useScratch } from '../support/scratch.js';
import { listening, reach, received } from '../support/socket-pair.js';

const SIZE = 1_000_000;
const CHUNK = 64 << 10;
const LIMITS = { min: 1000, window: 100_000 };

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, next: () => void) => void;

interface Compression {
  (options?: { readonly threshold: number }): Handler;
  readonly filter: unknown;
}

describe('the compression middleware', () => {
  const scratch = useScratch();
  const bytes = content(SIZE);
  const require = createRequire(import.meta.url);
  let path: string;
  let original: Compression;
  let undos: (Undo | undefined)[];

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
    original = require('compression');
  });

  beforeEach(() => {
    const context = hookContext({}, linux(), { sendfile: LIMITS });
    undos = [compressionHook.install(context), readStreamHook.install(context)];
  });

  afterEach(() => {
    for (const undo of undos) undo?.();
  });

  function required(): Compression {
    return require('compression');
  }

  function passOn(response: http.ServerResponse): void {
    const { write } = response;
    Reflect.set(response, 'write', (...args: unknown[]) => Reflect.apply(write, response, args));
  }

  /** Send the file through handlers; answers with the body, its encoding, and the bytes that went by sendfile. */
  async function fetch(handlers: readonly Handler[]): Promise<{ body: Buffer; encoding?: string; sent: number }> {
    const server = http.createServer((asked, answer) => {
      const [first, ...others] = handlers;
      const finish = (): void => void createReadStream(path).pipe(answer);
      const run = others.reduceRight<() => void>((next, handler) => () => handler(asked, answer, next), finish);
      first?.(asked, answer, run);
    });
    await listening(server);
    const before = counters.sendfileBytes;
    const request = http.get({ ...reach(server), agent: false, headers: { 'accept-encoding': 'gzip' } });
    const [response] = await once(request, 'response');
    const body = await received(response);
    server.close();
    return { body, encoding: response.headers['content-encoding'], sent: counters.sendfileBytes - before };
  }

  const ofType =
    (type: string): Handler =>
    (_, response, next) => {
      response.setHeader('Content-Type', type);
      response.setHeader('Content-Length', SIZE);
      next();
    };

  it('is the same to the app', () => {
    const ours = required();
    expect(ours).to.equal(required());
    expect(ours.name).to.equal(original.name);
    expect(ours).to.have.length(original.length);
    expect(ours.filter).to.equal(original.filter);
    expect(Reflect.ownKeys(ours)).to.deep.equal(Reflect.ownKeys(original));
    const [middleware, theirs] = [ours(), original()];
    expect(middleware.name).to.equal(theirs.name);
    expect(middleware).to.have.length(theirs.length);
  });

  it('has what it passes through sent by sendfile, once it has made up its mind', async () => {
    for (const handlers of [
      [ofType('image/png'), required()()],
      [required()(), ofType('image/png')],
      [required()({ threshold: SIZE * 2 }), ofType('text/plain')],
    ]) {
      const { body, encoding, sent } = await fetch(handlers);
      expect(encoding).to.equal(undefined);
      expect(digest(body)).to.equal(digest(bytes));
      // With the first chunk, which Node reads, it makes the headers.
      expect(sent).to.be.within(1, SIZE - CHUNK);
    }
  });

  it('gets every byte of what it compresses', async () => {
    const { body, encoding, sent } = await fetch([required()(), ofType('text/plain')]);
    expect(encoding).to.equal('gzip');
    expect(digest(gunzipSync(body))).to.equal(digest(bytes));
    expect(sent).to.equal(0);
  });

  it('is not believed where a response is encoded by the app', async () => {
    const encoded: Handler = (_, response, next) => {
      response.setHeader('Content-Encoding', 'x-ours');
      next();
    };
    const { body, sent } = await fetch([required()(), encoded]);
    expect(digest(body)).to.equal(digest(bytes));
    expect(sent).to.equal(0);
  });

  it('is not believed where somebody else’s write is below it, or above', async () => {
    const wrap: Handler = (_, response, next) => {
      passOn(response);
      next();
    };
    for (const handlers of [
      [wrap, ofType('image/png'), required()()],
      [required()(), ofType('image/png'), wrap],
      [required()(), wrap, ofType('image/png'), required()()],
    ]) {
      const { body, sent } = await fetch(handlers);
      expect(digest(body)).to.equal(digest(bytes));
      expect(sent).to.equal(0);
    }
  });

  it('is the original once the hook is undone', () => {
    expect(required()).to.not.equal(original);
    for (const undo of undos.splice(0)) undo?.();
    expect(required()).to.equal(original);
  });

  it('is left alone where files are not sent by sendfile', () => {
    expect(compressionHook.install(hookContext({}, linux()))).to.equal(undefined);
  });
});
