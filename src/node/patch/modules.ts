import { type CommonModule, moduleLoadList, modulePrototype } from '../modules.js';
import { defineProperty } from '../own-properties.js';
import { looksLike, type Undo } from './replace.js';

/** Have `after` called when the code of one module has run and nobody has got what it exports. */
function afterCompile(module: CommonModule, after: () => void): void {
  const original = module._compile;
  const compile: CommonModule['_compile'] = (...args) => {
    // A transpiler may have put a function of its own in place of this one, which it calls.
    if (module._compile === compile) Reflect.deleteProperty(module, '_compile');
    const result = original.apply(module, args);
    after();
    return result;
  };
  looksLike(compile, original);
  defineProperty(module, '_compile', { configurable: true, enumerable: true, writable: true, value: compile });
}

/**
 * Have `onExports` see, and perhaps replace, what some modules of CommonJS export before anybody gets it, be they required or
 * imported.
 *
 * Each module is met where Node assigns its `paths`, which nothing has before. What is called while modules load is left as it
 * is: it stands in the stack of every error that there is meanwhile, and a wrapper or an accessor would show.
 *
 * @returns an undo, after which whoever has got a replacement keeps it; undefined where somebody else stands in that place
 */
export function watchExports(
  isWatched: (file: string) => boolean,
  onExports: (exports: unknown) => unknown,
): Undo | undefined {
  const prototype = modulePrototype();
  if ('paths' in prototype) return undefined;
  const replaced: (() => void)[] = [];
  // Not called `module`: in the bundle, an assignment to its exports would look like a module of CommonJS.
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
 * Have `then` called when Node has loaded a module of its own, ahead of whoever has asked for it. Node then pushes the module's name to
 * `process.moduleLoadList` (lib/internal/bootstrap/realm.js `compileForInternalLoader`), which looks for a setter in the list's prototype.
 *
 * @param entry of that list
 * @returns an undo
 */
export function afterBuiltin(entry: string, then: () => void): Undo {
  const list = moduleLoadList();
  if (list === undefined || Object.getPrototypeOf(list) !== Array.prototype) return () => undefined;
  // With an object of its own, so that the list is an Array to `instanceof`, and to util.inspect().
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
