import { debug } from '../../diagnostics.js';
import { defineProperty } from '../../node/own-properties.js';
import { isNodesOwn } from '../../node/own-source.js';
import { watchExports } from '../../node/patch/modules.js';
import type { Undo } from '../../node/patch/replace.js';
import type { Hook, HookContext } from '../context.js';
import { watchPackage } from '../require.js';
import { COMPRESSION, isCompression } from './compression-file.js';
import { notePassThrough } from './eligibility.js';

/**
 * Text in the middleware's source, in all of 1.x, where it hands a chunk on untouched. Whether it does is settled when the headers
 * are made, and does not change after that.
 */
const HANDS_ON = [
  '_write = res.write',
  "res.setHeader('Content-Encoding', method)",
  '_write.call(this, chunk, encoding)',
];

/**
 * The same in the copy of Next.js (next/dist/compiled/compression/index.js), where a minifier chose the names of variables. Here
 * `\1` is the `write` that was there before, `\2` the response, and `\5` the stream that compresses.
 */
const HANDS_ON_MINIFIED =
  /([\w$]+)=([\w$]+)\.write;.*\b\2\.write=function write\(([\w$]+),([\w$]+)\)\{if\([\w$]+\)\{return false\}if\(!this\._header\)\{this\._implicitHeader\(\)\}return ([\w$]+)\?\5\.write\(toBuffer\(\3,\4\)\):\1\.call\(this,\3,\4\)\};.*\b\2\.setHeader\("Content-Encoding",/;

type Callable = (...args: never[]) => unknown;
type Middleware = (request: unknown, response: object, next: (...args: unknown[]) => unknown) => unknown;

function isFunction(value: unknown): value is Callable {
  return typeof value === 'function';
}

function isKnown(factory: Callable): boolean {
  const source = Function.prototype.toString.call(factory).replaceAll(/\s+/g, ' ');
  return HANDS_ON.every((text) => source.includes(text)) || HANDS_ON_MINIFIED.test(source);
}

/** Not a Proxy: Node 26 prints one as a Proxy. */
function lookingLike<F extends Callable>(original: F, replacement: F): F {
  for (const name of Reflect.ownKeys(original)) {
    const descriptor = Object.getOwnPropertyDescriptor(original, name);
    if (descriptor !== undefined) defineProperty(replacement, name, descriptor);
  }
  return replacement;
}

/** The middleware puts its `write` on the response before it calls `next`. That calls the `write` that was there before. */
function watchMiddleware(middleware: Middleware): Middleware {
  return lookingLike(middleware, function (this: unknown, ...[request, response, next]: Parameters<Middleware>) {
    const below: unknown = Reflect.get(response, 'write');
    const goOn = (...args: unknown[]): unknown => {
      if (isNodesOwn(below, 'OutgoingMessage.write')) notePassThrough(response, Reflect.get(response, 'write'));
      return next(...args);
    };
    return middleware.call(this, request, response, isFunction(next) ? goOn : next);
  });
}

function isMiddleware(value: unknown): value is Middleware {
  return isFunction(value) && value.length === 3;
}

/** What the app gets in place of the package's exports. */
export function watchFactory(exports: unknown): unknown {
  if (!isFunction(exports)) return exports;
  if (!isKnown(exports)) {
    debug('%s is of a version that is not known: files behind it are sent as ever', COMPRESSION);
    return exports;
  }
  return lookingLike(exports, function (this: unknown, ...args: never[]) {
    const middleware: unknown = exports.apply(this, args);
    return isMiddleware(middleware) ? watchMiddleware(middleware) : middleware;
  });
}

function install(context: HookContext): Undo | undefined {
  if (context.sendfile === undefined) return undefined;
  // The second sees require() of the package only, takes 8 ms to load, and shows in the stack of every error while modules load.
  return watchExports(isCompression, watchFactory) ?? watchPackage(COMPRESSION, watchFactory);
}

/** The compression middleware replaces every response's `write`, compressed or not. Here we learn which of them pass through. */
export const compressionHook: Hook = { name: COMPRESSION, install };
