import { once } from 'node:events';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { compressionHook } from '../../../src/hooks/files/compression.js';
import { readStreamHook } from '../../../src/hooks/files/read-stream.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { counters } from '../../../src/report/counters.js';
import { content, digest } from '../../support/files/content.js';
import { useScratch } from '../../support/files/scratch.js';
import { hookContext } from '../../support/hook-context.js';
import { linux } from '../../support/sockets/kernel-value.js';
import { listening, reach, received } from '../../support/sockets/socket-pair.js';

const SIZE = 1_000_000;
const SMALL = 20_000;
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
  let small: string;
  let original: Compression;
  let watched: Compression;
  let undos: (Undo | undefined)[];

  before(function () {
    if (process.platform !== 'linux') this.skip();
    path = scratch.file('file', bytes);
    small = scratch.file('small', bytes.subarray(0, SMALL));
    original = loadAnew();
  });

  beforeEach(() => {
    const context = hookContext({}, linux(), { sendfile: LIMITS });
    undos = [compressionHook.install(context), readStreamHook.install(context)];
    watched = loadAnew();
  });

  afterEach(() => {
    for (const undo of undos) undo?.();
  });

  function forget(): string {
    const file = require.resolve('compression');
    delete require.cache[file];
    return file;
  }

  /** The hook sees what is loaded while it is in place. */
  function loadAnew(): Compression {
    return require(forget());
  }

  let imports = 0;

  async function importAnew(): Promise<Compression> {
    const { default: imported } = await import(`${pathToFileURL(forget())}?${imports++}`);
    return imported;
  }

  function passOn(response: http.ServerResponse): void {
    const { write } = response;
    Reflect.set(response, 'write', (...args: unknown[]) => Reflect.apply(write, response, args));
  }

  /** Send the file through handlers; answers with the body, its encoding, and the bytes that went by sendfile. */
  async function fetch(
    handlers: readonly Handler[],
    from = path,
  ): Promise<{ body: Buffer; encoding?: string; sent: number }> {
    const server = http.createServer((asked, answer) => {
      const [first, ...others] = handlers;
      const finish = (): void => void createReadStream(from).pipe(answer);
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
    (type: string, length = SIZE): Handler =>
    (_, response, next) => {
      response.setHeader('Content-Type', type);
      response.setHeader('Content-Length', length);
      next();
    };

  it('is the same to the app', () => {
    expect(watched).to.not.equal(original);
    expect(inspect(watched, { showProxy: true })).to.equal(inspect(original));
    expect(inspect(watched())).to.equal(inspect(original()));
    for (const [ours, theirs] of [
      [watched, original],
      [watched(), original()],
    ] as const) {
      expect(Reflect.ownKeys(ours)).to.deep.equal(Reflect.ownKeys(theirs));
      expect(ours).to.have.length(theirs.length);
      expect(ours.name).to.equal(theirs.name);
    }
  });

  it('is shown by require-in-the-middle where somebody else watches modules by the same means', async () => {
    for (const undo of undos) undo?.();
    const prototype: object = Reflect.get(require('node:module'), 'prototype');
    Object.defineProperty(prototype, 'paths', { configurable: true, writable: true, value: undefined });
    try {
      undos = [
        compressionHook.install(hookContext({}, linux(), { sendfile: LIMITS })),
        readStreamHook.install(hookContext({}, linux(), { sendfile: LIMITS })),
      ];
      watched = loadAnew();
      const { encoding, sent } = await fetch([watched(), ofType('image/png')]);
      expect(encoding).to.equal(undefined);
      expect(sent).to.equal(SIZE - CHUNK);
    } finally {
      Reflect.deleteProperty(prototype, 'paths');
    }
  });

  it('is one thing to whoever requires it, imports it, and looks into the cache', async () => {
    const imported = await importAnew();
    expect(imported).to.not.equal(original);
    expect(require('compression')).to.equal(imported);
    const module = require.cache[require.resolve('compression')];
    expect(module?.exports).to.equal(imported);
    const [other] = module?.children ?? [];
    expect(Object.keys(module ?? {})).to.deep.equal(Object.keys(other ?? {}));
  });

  it('has what it passes through sent by sendfile, once it has made up its mind', async () => {
    for (const handlers of [
      [ofType('image/png'), watched()],
      [watched(), ofType('image/png')],
      [watched({ threshold: SIZE * 2 }), ofType('text/plain')],
    ]) {
      const { body, encoding, sent } = await fetch(handlers);
      expect(encoding).to.equal(undefined);
      expect(digest(body)).to.equal(digest(bytes));
      // With the first chunk, which Node reads, it makes the headers.
      expect(sent).to.be.within(1, SIZE - CHUNK);
    }
  });

  it('has what it passes through sent by sendfile where it was imported', async () => {
    const imported = await importAnew();
    const { body, sent } = await fetch([imported(), ofType('image/png')]);
    expect(digest(body)).to.equal(digest(bytes));
    expect(sent).to.be.within(1, SIZE - CHUNK);
  });

  it('gets its first chunk, which may be all, without the thread pool: as bytes, as it may compress them', async () => {
    for (const [type, unpack] of [
      ['image/png', (body: Buffer) => body],
      ['text/plain', gunzipSync],
    ] as const) {
      const before = counters.copiedBytes.get('undecided') ?? 0;
      const { body, encoding, sent } = await fetch([watched(), ofType(type, SMALL)], small);
      expect(encoding).to.equal(type === 'text/plain' ? 'gzip' : undefined);
      expect(digest(unpack(body))).to.equal(digest(bytes.subarray(0, SMALL)));
      expect(sent).to.equal(0);
      expect((counters.copiedBytes.get('undecided') ?? 0) - before).to.equal(SMALL);
    }
  });

  it('gets every byte of what it compresses', async () => {
    const { body, encoding, sent } = await fetch([watched(), ofType('text/plain')]);
    expect(encoding).to.equal('gzip');
    expect(digest(gunzipSync(body))).to.equal(digest(bytes));
    expect(sent).to.equal(0);
  });

  it('is not believed where a response is encoded by the app', async () => {
    const encoded: Handler = (_, response, next) => {
      response.setHeader('Content-Encoding', 'x-ours');
      next();
    };
    const { body, sent } = await fetch([watched(), encoded]);
    expect(digest(body)).to.equal(digest(bytes));
    expect(sent).to.equal(0);
  });

  it('is not believed where somebody else’s write is below it, or above', async () => {
    const wrap: Handler = (_, response, next) => {
      passOn(response);
      next();
    };
    for (const handlers of [
      [wrap, ofType('image/png'), watched()],
      [watched(), ofType('image/png'), wrap],
      [watched(), wrap, ofType('image/png'), watched()],
    ]) {
      const { body, sent } = await fetch(handlers);
      expect(digest(body)).to.equal(digest(bytes));
      expect(sent).to.equal(0);
    }
  });

  it('is the original once the hook is undone', () => {
    expect(require('compression')).to.equal(watched);
    for (const undo of undos.splice(0)) undo?.();
    expect(require('compression')).to.not.equal(watched);
    expect(String(require('compression'))).to.equal(String(original));
    expect(String(loadAnew())).to.equal(String(original));
  });

  it('is left alone where it is of a version that is not known', () => {
    const source = 'function compression() { return (request, response, next) => next(); }';
    const directory = scratch.path('node_modules/compression');
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/index.js`, `module.exports = ${source};`);
    expect(String(require(`${directory}/index.js`))).to.equal(source);
    expect(String(watched)).to.not.equal(String(original));
  });

  /** The middleware in the short names of Next.js's copy, which compresses what is text. */
  const NEXTS_COPY =
    'var l=require("node:zlib");function toBuffer(a,e){return Buffer.isBuffer(a)?a:Buffer.from(a,e)}function compression(a){' +
    'return function compression(a,o,c){var u=false;var x;var v=o.end;var b=o.write;o.write=function write(a,e){if(u){return false}' +
    'if(!this._header){this._implicitHeader()}return x?x.write(toBuffer(a,e)):b.call(this,a,e)};o.end=function end(a,e){if(u){return ' +
    'false}if(!this._header){this._implicitHeader()}if(!x){return v.call(this,a,e)}u=true;return a?x.end(toBuffer(a,e)):x.end()};var ' +
    'w=o.writeHead;o.writeHead=function(){var u="gzip";if(o.getHeader("Content-Type")==="text/plain"){x=l.createGzip();' +
    'o.setHeader("Content-Encoding",u);o.removeHeader("Content-Length");x.on("data",(function(a){b.call(o,a)}));x.on("end",' +
    '(function(){v.call(o)}));x.on("drain",(function(){o.emit("drain")}))}return w.apply(this,arguments)};c()}}';

  /** Written where Next.js has its copy, or in another place. */
  function copyOfNext(place: string, source = NEXTS_COPY): () => Handler {
    const directory = scratch.path(place);
    mkdirSync(directory, { recursive: true });
    writeFileSync(`${directory}/index.js`, `${source};module.exports=compression`);
    return require(`${directory}/index.js`);
  }

  it('is known in the copy of Next.js, and has what that passes through sent by sendfile', async () => {
    const compress = copyOfNext('first/node_modules/next/dist/compiled/compression');
    const image = await fetch([ofType('image/png'), compress()]);
    expect(image.encoding).to.equal(undefined);
    expect(digest(image.body)).to.equal(digest(bytes));
    expect(image.sent).to.be.within(1, SIZE - CHUNK);
    const text = await fetch([ofType('text/plain'), compress()]);
    expect(text.encoding).to.equal('gzip');
    expect(digest(gunzipSync(text.body))).to.equal(digest(bytes));
    expect(text.sent).to.equal(0);
  });

  it('is not known in another file, or where a copy of Next.js hands something else on', async () => {
    const changed = NEXTS_COPY.replace('b.call(this,a,e)}', 'b.call(this,toBuffer(a,e))}');
    expect(changed).to.not.equal(NEXTS_COPY);
    for (const compress of [
      copyOfNext('second/node_modules/next/dist/compiled/other'),
      copyOfNext('third/node_modules/next/dist/compiled/compression', changed),
    ]) {
      const { body, sent } = await fetch([ofType('image/png'), compress()]);
      expect(digest(body)).to.equal(digest(bytes));
      expect(sent).to.equal(0);
    }
  });

  it('is left alone where files are not sent by sendfile', () => {
    expect(compressionHook.install(hookContext({}, linux()))).to.equal(undefined);
  });
});
