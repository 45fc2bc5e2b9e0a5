import { type CommonModule, moduleLoadList, modulePrototype } from '../modules.js';
import { defineProperty } from '../own-properties.js';
import { looksLike, type Undo } from './replace.js';

/** Call `after` when the code of a module has run, before anybody gets its exports. */
function afterCompile(module: CommonModule, after: () => void): void {
  const original = module._compile;
  const compile: CommonModule['_compile'] = (...args) => {
    // A transpiler may have replaced this function by one of its own that calls it.
    if (module._compile === compile) Reflect.deleteProperty(module, '_compile');
    const result = original.apply(module, args);
    after();
    return result;
  };
  looksLike(compile, original);
  defineProperty(module, '_compile', { configurable: true, enumerable: true, writable: true, value: compile });
}

/**
 * Call `onExports` with the exports of CommonJS modules, required or imported, and give everybody its result.
 *
 * A setter meets each module where Node assigns its `paths`, a property that no module has before. Functions that are called while
 * modules load are not wrapped: a wrapper would show in the stack of every error meanwhile.
 *
 * @returns an undo, after which the replacements that somebody has got stay; undefined where somebody else has such a setter
 */
export function watchExports(
  isWatched: (file: string) => boolean,
  onExports: (exports: unknown) => unknown,
): Undo | undefined {
  const prototype = modulePrototype();
  if ('paths' in prototype) return undefined;
  const replaced: (() => void)[] = [];
  // Not called `module`: in the bundle, `module.exports = …` would make it look like a CommonJS module.
  const watch = (loaded: CommonModule): void => {
    const { exports } = loaded;
    const replacement = onExports(exports);
    loaded.exports = replacement;
    replaced.push(() => {
      if (loaded.exports === replacement) loaded.exports = exports;
    });
  };
  const set = function (this: CommonModule, value: unknown): void {
    defineProperty(this, 'paths', { configurable: true, enumerable: true, writable: true, value });
    if (typeof this.filename === 'string' && isWatched(this.filename)) afterCompile(this, () => watch(this));
  };
  defineProperty(prototype, 'paths', { configurable: true, enumerable: false, set });
  return () => {
    for (const restore of replaced) restore();
    if (Object.getOwnPropertyDescriptor(prototype, 'paths')?.set === set) Reflect.deleteProperty(prototype, 'paths');
  };
}

/**
 * Call `then` when Node has loaded a module of its own, before anybody gets it. Node pushes the module's name to
 * `process.moduleLoadList` (lib/internal/bootstrap/realm.js `compileForInternalLoader`): a setter in the list's prototype sees that.
 *
 * @param entry of that list
 * @returns an undo
 */
export function afterBuiltin(entry: string, then: () => void): Undo {
  const list = moduleLoadList();
  if (list === undefined || Object.getPrototypeOf(list) !== Array.prototype) return () => undefined;
  // Its prototype is Array's, so that the list stays an Array to `instanceof` and to util.inspect().
  const watched = new Proxy(Object.create(Array.prototype), {
    set(target, key, value, receiver) {
      const isSet = Reflect.set(target, key, value, receiver);
      if (value === entry) {
        undo();
        then();
      }
      return isSet;
    },
  });
  const undo = (): void => {
    if (Object.getPrototypeOf(list) === watched) Object.setPrototypeOf(list, Array.prototype);
  };
  Object.setPrototypeOf(list, watched);
  return undo;
}
