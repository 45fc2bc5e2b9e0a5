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

/** Who meets modules as they are loaded. */
interface ModuleWatch {
  readonly isWatched: (file: string) => boolean;
  readonly onLoaded: (loaded: CommonModule) => void;
}

const watches = new Set<ModuleWatch>();

/** The setter of `paths` in the prototype of modules. */
function meet(this: CommonModule, value: unknown): void {
  defineProperty(this, 'paths', { configurable: true, enumerable: true, writable: true, value });
  const { filename } = this;
  if (typeof filename !== 'string') return;
  for (const { isWatched, onLoaded } of watches) if (isWatched(filename)) afterCompile(this, () => onLoaded(this));
}

function meets(prototype: object): boolean {
  return Object.getOwnPropertyDescriptor(prototype, 'paths')?.set === meet;
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
  if ('paths' in prototype && !meets(prototype)) return undefined;
  const replaced: (() => void)[] = [];
  // Not called `module`: in the bundle, `module.exports = …` would make it look like a CommonJS module.
  const onLoaded = (loaded: CommonModule): void => {
    const { exports } = loaded;
    const replacement = onExports(exports);
    loaded.exports = replacement;
    replaced.push(() => {
      if (loaded.exports === replacement) loaded.exports = exports;
    });
  };
  const watch: ModuleWatch = { isWatched, onLoaded };
  watches.add(watch);
  defineProperty(prototype, 'paths', { configurable: true, enumerable: false, set: meet });
  return () => {
    for (const restore of replaced) restore();
    watches.delete(watch);
    if (watches.size === 0 && meets(prototype)) Reflect.deleteProperty(prototype, 'paths');
  };
}

/** Who waits for a module of Node's, by its entry in the list of those that are loaded. */
const awaited = new Map<unknown, Set<() => void>>();

/** Ends the watch of that list. */
let unwatchList: Undo | undefined;

function endWatchIfDone(): void {
  if (awaited.size > 0) return;
  unwatchList?.();
  unwatchList = undefined;
}

/** Call those who wait, for each entry that the list gets. */
function watchList(list: readonly string[]): Undo {
  // Its prototype is Array's, so that the list stays an Array to `instanceof` and to util.inspect().
  const watched = new Proxy(Object.create(Array.prototype), {
    set(target, key, value, receiver) {
      const isSet = Reflect.set(target, key, value, receiver);
      const waiting = awaited.get(value);
      if (waiting !== undefined) {
        awaited.delete(value);
        endWatchIfDone();
        for (const then of waiting) then();
      }
      return isSet;
    },
  });
  Object.setPrototypeOf(list, watched);
  return () => {
    if (Object.getPrototypeOf(list) === watched) Object.setPrototypeOf(list, Array.prototype);
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
  if (list === undefined) return () => undefined;
  if (unwatchList === undefined && Object.getPrototypeOf(list) !== Array.prototype) return () => undefined;
  unwatchList ??= watchList(list);
  const waiting = awaited.get(entry) ?? new Set();
  awaited.set(entry, waiting.add(then));
  return () => {
    waiting.delete(then);
    if (waiting.size === 0 && awaited.get(entry) === waiting) awaited.delete(entry);
    endWatchIfDone();
  };
}
