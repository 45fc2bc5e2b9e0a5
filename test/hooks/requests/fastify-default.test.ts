import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { raiseFastifyDefault } from '../../../src/hooks/requests/fastify.js';
import type { Undo } from '../../../src/node/patch/replace.js';
import { useScratch } from '../../support/files/scratch.js';

describe('the idle time that Fastify sets by itself', () => {
  const scratch = useScratch();
  const require = createRequire(import.meta.url);
  let undo: Undo | undefined;
  let packages = 0;

  afterEach(() => {
    undo?.();
    undo = undefined;
  });

  /** Fastify as far as it matters here, loaded. */
  function load(file: string, defaults: string): { defaultInitOptions: Record<string, unknown> } {
    const source = `module.exports = () => {}; module.exports.defaultInitOptions = ${defaults};`;
    const path = join(`${packages++}`, 'node_modules', file);
    mkdirSync(dirname(scratch.path(path)), { recursive: true });
    return require(scratch.file(path, source));
  }

  for (const [version, name, time] of [
    ['3', 'initialConfigValidation.js', 5000],
    ['4', 'initialConfigValidation.js', 72_000],
    ['5', 'initial-config-validation.js', 72_000],
  ] as const) {
    it(`is raised where it is too short, until the undo: version ${version}`, () => {
      undo = raiseFastifyDefault(100_000);
      const { defaultInitOptions } = load(`fastify/lib/${name}`, `{ keepAliveTimeout: ${time}, requestTimeout: 0 }`);
      expect(defaultInitOptions).to.deep.equal({ keepAliveTimeout: 100_000, requestTimeout: 0 });
      undo();
      expect(defaultInitOptions).to.deep.equal({ keepAliveTimeout: time, requestTimeout: 0 });
    });
  }

  it('stays where it is long enough, or not what we know', () => {
    undo = raiseFastifyDefault(65_000);
    for (const defaults of ['{ keepAliveTimeout: 72000 }', "{ keepAliveTimeout: '5' }", '{}', 'undefined', 'null']) {
      const { defaultInitOptions } = load('fastify/lib/initialConfigValidation.js', defaults);
      expect(JSON.stringify(defaultInitOptions), defaults).to.equal(
        JSON.stringify(require('node:vm').runInThisContext(`(${defaults})`)),
      );
    }
    const frozen = load('fastify/lib/initialConfigValidation.js', 'Object.freeze({ keepAliveTimeout: 5000 })');
    expect(frozen.defaultInitOptions).to.deep.equal({ keepAliveTimeout: 5000 });
  });

  it('is that of the package alone', () => {
    undo = raiseFastifyDefault(65_000);
    for (const file of [
      'other/lib/initialConfigValidation.js',
      'fastify/lib/server.js',
      'fastify/initialConfigValidation.js',
    ]) {
      expect(load(file, '{ keepAliveTimeout: 5000 }').defaultInitOptions).to.deep.equal({ keepAliveTimeout: 5000 });
    }
  });

  it('stays where somebody else meets modules', () => {
    const { prototype } = require('node:module').Module;
    Object.defineProperty(prototype, 'paths', {
      configurable: true,
      set(value) {
        Object.defineProperty(this, 'paths', { configurable: true, enumerable: true, writable: true, value });
      },
    });
    try {
      undo = raiseFastifyDefault(65_000);
      const { defaultInitOptions } = load('fastify/lib/initialConfigValidation.js', '{ keepAliveTimeout: 5000 }');
      expect(defaultInitOptions).to.deep.equal({ keepAliveTimeout: 5000 });
    } finally {
      delete prototype.paths;
    }
  });
});
