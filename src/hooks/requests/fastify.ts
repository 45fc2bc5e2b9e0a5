import { debug } from '../../diagnostics.js';
import { watchExports } from '../../node/patch/modules.js';
import { exchange, replaceMethod, type Undo, undoAll } from '../../node/patch/replace.js';

/**
 * Fastify sets `keepAliveTimeout` on its servers: what the app has said, or a default of its own, 72 s. It takes that from an object,
 * `options.keepAliveTimeout || defaultInitOptions.keepAliveTimeout` (fastify.js of 3 to 5). So the default is raised there, and an app
 * that says 72 s itself keeps them.
 */
const DEFAULTS_FILE =
  /[\\/]node_modules[\\/]fastify[\\/]lib[\\/](?:initialConfigValidation|initial-config-validation)\.js$/;

const DEFAULTS = 'defaultInitOptions';
const TIME = 'keepAliveTimeout';

/** @returns what takes it back; undefined where there is nothing to raise */
function raiseDefault(exports: unknown, least: number): Undo | undefined {
  const defaults: unknown = typeof exports === 'function' ? Reflect.get(exports, DEFAULTS) : undefined;
  if (typeof defaults !== 'object' || defaults === null) return undefined;
  const { writable = false, value: time } = Object.getOwnPropertyDescriptor(defaults, TIME) ?? {};
  if (!writable || typeof time !== 'number' || time >= least) return undefined;
  exchange(defaults, TIME, time, least);
  debug("fastify's default of %s was %d ms, and is %o", TIME, time, Reflect.get(defaults, TIME));
  return () => exchange(defaults, TIME, least, time);
}

/**
 * Raise Fastify's default of the idle time, once it is loaded.
 *
 * @param least milliseconds that a connection may be idle
 */
export function raiseFastifyDefault(least: number): Undo {
  const undos: Undo[] = [];
  const unwatch = watchExports(
    (file) => DEFAULTS_FILE.test(file),
    (exports) => {
      const undo = raiseDefault(exports, least);
      if (undo !== undefined) undos.push(undo);
      return exports;
    },
  );
  if (unwatch === undefined) debug('somebody else meets modules: the default of fastify stays');
  return () => {
    unwatch?.();
    for (const undo of undos) undo();
  };
}

/**
 * From `close()` on Fastify answers 503 to each request that comes on a connection it has, unless its app says `return503OnClosing: false`
 * (lib/route.js of 3 to 5, `buildRouting().setup(options)`). Its hooks for the end run when the server is closed, so it could answer.
 */
const ROUTES_FILE = /[\\/]node_modules[\\/]fastify[\\/]lib[\\/]route\.js$/;

const BUILD = 'buildRouting';
const OPTION = 'return503OnClosing';

type Setup = (options: unknown, ...rest: unknown[]) => unknown;

function hasMethod(value: unknown, name: string): value is object {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
}

/** The app's word stands. */
function answering(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || Object.hasOwn(options, OPTION)) return options;
  return { ...options, [OPTION]: false };
}

function answerInRouter(router: unknown): void {
  if (!hasMethod(router, 'setup')) return;
  replaceMethod<Setup>(
    router,
    'setup',
    (original) =>
      function (this: unknown, options, ...rest) {
        return original.call(this, answering(options), ...rest);
      },
  );
}

/** Have Fastify answer while it closes, where its app has not said what to do. */
export function answerWhileFastifyCloses(): Undo {
  const undos: Undo[] = [];
  const unwatch = watchExports(
    (file) => ROUTES_FILE.test(file),
    (exports) => {
      if (!hasMethod(exports, BUILD)) return exports;
      const undo = replaceMethod<(...args: unknown[]) => unknown>(
        exports,
        BUILD,
        (original) =>
          function (this: unknown, ...args) {
            const router = original.apply(this, args);
            answerInRouter(router);
            return router;
          },
      );
      undos.push(undo);
      return exports;
    },
  );
  if (unwatch === undefined) debug('somebody else meets modules: fastify answers 503 while it closes');
  return () => {
    unwatch?.();
    undoAll(undos)();
  };
}
