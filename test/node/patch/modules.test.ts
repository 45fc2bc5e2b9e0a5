import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { CommonModule } from '../../../src/node/modules.js';
import { afterBuiltin, watchExports } from '../../../src/node/patch/modules.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { useScratch } from '../../support/files/scratch.js';

describe('watching what modules export', () => {
  const scratch = useScratch();
  const require = createRequire(import.meta.url);
  let undo: Undo | undefined;

  function watch(name: string): unknown[] {
    const seen: unknown[] = [];
    undo = watchExports(
      (file) => file.endsWith(name),
      (exports) => {
        seen.push(exports);
        return { replaced: exports };
      },
    );
    return seen;
  }

  afterEach(() => undo?.());

  it('replaces it for whoever requires or imports the module, and for nobody else', async () => {
    const seen = watch('watched.cjs');
    scratch.file('other.cjs', 'module.exports = 2;');
    const watched = scratch.file('watched.cjs', 'module.exports = 1;');
    const app = scratch.file(
      'app.mjs',
      "import one from './watched.cjs'; import two from './other.cjs'; export { one, two };",
    );
    const { one, two } = await import(app);
    expect({ one, two }).to.deep.equal({ one: { replaced: 1 }, two: 2 });
    expect(require(watched)).to.equal(one);
    expect(seen).to.deep.equal([1]);
    const module = require.cache[watched];
    expect(Object.keys(module ?? {}))
      .to.include('paths')
      .and.not.include('_compile');
    undo?.();
    expect(require(watched)).to.equal(1);
    expect(module?.constructor.prototype).to.not.have.property('paths');
  });

  it('serves several at once, each until its own undo', () => {
    const seen: string[] = [];
    const watches = ['one.cjs', 'two.cjs', 'three.cjs'].map((name) =>
      watchExports(
        (file) => file.endsWith(name),
        (exports) => {
          seen.push(name);
          return exports;
        },
      ),
    );
    undo = (): void => {
      for (const each of watches) each?.();
    };
    expect(watches.every((each) => each !== undefined)).to.equal(true);
    watches[1]?.();
    for (const name of ['one.cjs', 'two.cjs', 'three.cjs']) require(scratch.file(name, ''));
    expect(seen).to.deep.equal(['one.cjs', 'three.cjs']);
    const prototype = require('node:module').Module.prototype;
    watches[0]?.();
    expect(prototype).to.have.property('paths');
    watches[2]?.();
    expect(prototype).to.not.have.property('paths');
  });

  it('leaves a setter of somebody else in its place', () => {
    const { prototype } = require('node:module').Module;
    Object.defineProperty(prototype, 'paths', { configurable: true, set: () => undefined });
    try {
      const other = Object.getOwnPropertyDescriptor(prototype, 'paths');
      expect(watch('watched.cjs')).to.deep.equal([]);
      expect(undo).to.equal(undefined);
      expect(Object.getOwnPropertyDescriptor(prototype, 'paths')).to.deep.equal(other);
    } finally {
      delete prototype.paths;
    }
  });

  it('does not show in the stack of an error while modules are loaded', () => {
    const throwing = scratch.file('throwing.cjs', 'throw new Error("not today");');
    const stackOf = (): string => {
      try {
        return String(require(throwing));
      } catch (error) {
        return error instanceof Error ? String(error.stack) : '';
      }
    };
    const [before, watched] = [() => [], () => watch('watched.cjs')].map((prepare) => {
      prepare();
      return stackOf();
    });
    expect(before).to.include('not today').and.include('.load ');
    expect(watched).to.equal(before);
  });

  it('sees what a transpiler has made of a module', () => {
    const seen = watch('transpiled.cjs');
    const file = scratch.file('transpiled.cjs', 'module.exports = SEVEN;');
    const load = require.extensions['.js'];
    require.extensions['.cjs'] = (module, path) => {
      const { _compile: compile } = module as CommonModule;
      (module as CommonModule)._compile = function (code, ...rest) {
        return compile.call(this, String(code).replace('SEVEN', '7'), ...rest);
      };
      load(module, path);
    };
    try {
      expect(require(file)).to.deep.equal({ replaced: 7 });
      expect(seen).to.deep.equal([7]);
    } finally {
      Reflect.deleteProperty(require.extensions, '.cjs');
    }
  });
});

describe('watching what Node loads of itself', () => {
  const list = Reflect.get(process, 'moduleLoadList') as string[];

  it('tells of a module once it is loaded, before its name is seen by anybody else', () => {
    let isLoaded: boolean | undefined;
    afterBuiltin('NativeModule of this test', () => {
      isLoaded = list.includes('NativeModule of this test');
    });
    list.push('NativeModule of another');
    expect(isLoaded).to.equal(undefined);
    list.push('NativeModule of this test');
    expect(isLoaded).to.equal(true);
    expect(list.splice(-2)).to.deep.equal(['NativeModule of another', 'NativeModule of this test']);
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
  });

  it('tells of several modules, each until it is called off', () => {
    const loaded: string[] = [];
    const undos = ['a', 'b', 'b', 'c'].map((name, index) =>
      afterBuiltin(`NativeModule ${name}`, () => loaded.push(`${name}${index}`)),
    );
    undos[3]?.();
    list.push('NativeModule b', 'NativeModule c');
    expect(loaded).to.deep.equal(['b1', 'b2']);
    list.push('NativeModule b', 'NativeModule a');
    expect(loaded).to.deep.equal(['b1', 'b2', 'a0']);
    list.splice(-4);
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
    for (const undo of undos) undo();
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
  });

  it('does not show in the list meanwhile, and can be called off', () => {
    const before = inspect(list);
    const undo = afterBuiltin('NativeModule never', () => expect.fail('it was called off'));
    expect(inspect(list)).to.equal(before);
    expect(list).to.be.an.instanceof(Array);
    expect(list.concat('more').at(-1)).to.equal('more');
    undo();
    expect(Object.getPrototypeOf(list)).to.equal(Array.prototype);
    list.push('NativeModule never');
    list.pop();
  });
});
