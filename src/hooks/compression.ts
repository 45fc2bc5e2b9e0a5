import { debug } from '../diagnostics.js';
import { notePassThrough } from '../file-region/eligibility.js';
import { isNodesOwn } from '../node-internals.js';
import type { Hook, HookContext } from './hook.js';
import type { Undo } from './patch.js';
import { watchPackage } from './require.js';

const PACKAGE = 'compression';

/**
 * What its source says where it hands a chunk on untouched, on all of 1.x: whether it does is settled when the headers are made,
 * and never changes after that.
 */
const HANDS_ON = [
  '_write = res.write',
  "res.setHeader('Content-Encoding', method)",
  '_write.call(this, chunk, encoding)',
];

type Middleware = (request: unknown, response: object, next: (...args: unknown[]) => unknown) => unknown;

function isFunction(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function';
}

function isMiddleware(value: unknown): value is Middleware {
  if (!isFunction(value)) return false;
  const source = Function.prototype.toString.call(value).replaceAll(/\s+/g, ' ');
  return value.length === 3 && HANDS_ON.every((text) => source.includes(text));
}

/** It puts its `write` on the response before it calls `next`; what it calls from there is what was there before. */
function watchMiddleware(middleware: Middleware): Middleware {
  return new Proxy(middleware, {
    apply(target, self, [request, response, next]: Parameters<Middleware>) {
      const below: unknown = Reflect.get(response, 'write');
      const goOn = (...args: unknown[]): unknown => {
        if (isNodesOwn(below, 'OutgoingMessage.write')) notePassThrough(response, Reflect.get(response, 'write'));
        return next(...args);
      };
      return Reflect.apply(target, self, [request, response, isFunction(next) ? goOn : next]);
    },
  });
}

function watchFactory(exports: unknown): unknown {
  if (!isFunction(exports)) return exports;
  return new Proxy(exports, {
    apply(target, self, args) {
      const middleware: unknown = Reflect.apply(target, self, args);
      if (isMiddleware(middleware)) return watchMiddleware(middleware);
      debug('%s is of a version that is not known: files behind it are sent as ever', PACKAGE);
      return middleware;
    },
  });
}

function install(context: HookContext): Undo | undefined {
  return context.sendfile === undefined ? undefined : watchPackage(PACKAGE, watchFactory);
}

/** The compression middleware replaces every response's `write`, compressed or not: those that it passes through are known. */
export const compressionHook: Hook = { name: PACKAGE, install };
