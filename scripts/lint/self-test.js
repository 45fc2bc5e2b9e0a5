// Do the rules of our own still fire? One that no longer matches, say after an update of Biome or dependency-cruiser, is
// silent and looks just like clean code. So each one is run on samples, in a scratch directory that has the project's own
// configuration: `caught` samples must be reported, `fine` ones must not.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Imports, which dependency-cruiser looks at. */
const imports = {
  caught: [
    ['register.ts', `import './src/install.js';`],
    ['src/index.ts', `export { x } from './hooks/sockets/listener.js';`],
    ['src/install.ts', `import { x } from './index.js';`],
    ['src/errors.ts', `import { x } from './diagnostics.js';`],
    ['src/without-rule.ts', `import { x } from './errors.js';`],
    ['src/without-rule/a.ts', `import { x } from '../errors.js';`],
    ['src/api/a.ts', `import { x } from '../report/stats.js';`],
    ['src/hooks/a.ts', `import type { X } from '../config/config.js';`],
    ['src/hooks/files/a.ts', `import { x } from '../../config/config.js';`],
    ['src/hooks/b.ts', `import { x } from '../config/kinds/bytes.js';`],
    ['src/hooks/c.ts', `import { x } from './sockets/listener.js';`],
    ['src/hooks/d.ts', `import { x } from './index.js';`],
    ['src/hooks/files/windows/b.ts', `import type { X } from '../../../config/kinds/bytes.js';`],
    ['src/hooks/files/c.ts', `export { x } from '../sockets/listener.js';`],
    // What dependency-cruiser's own parser, without swc, does not see.
    ['src/hooks/shared-port/b.ts', `export type { X } from '../sockets/listener.js';`],
    ['src/node/a.ts', `import { x } from '../native/index.js';`],
    ['src/report/a.ts', `import * as x from '../config/config.js';`],
    ['src/options/a.ts', `import '../config/config.js';`],
    ['src/native/a.ts', `const x = await import('../options/table.js');`],
    ['src/native/circle-begin.ts', `import { x } from './circle-end.js'; export const y = x;`],
    ['src/native/circle-end.ts', `import { y } from './circle-begin.js'; export const x = () => y;`],
    ['src/native/type-circle-begin.ts', `import type { X } from './linux/type-circle-end.js'; export type Y = X;`],
    ['src/native/linux/type-circle-end.ts', `import { type Y } from '../type-circle-begin.js'; export type X = Y[];`],
    ['src/config/a.ts', `const x = require('../native/index.js');`],
    ['src/config/b.ts', `import { x } from '../install.js';`],
    ['src/config/c.ts', `import { x } from '../options/../native/index.js';`],
    ['src/config/d.ts', `import { x } from '..';`],
    ['src/config/e.ts', `import { x } from '../../test/support/files/scratch.js';`],
  ],
  fine: [
    ['register.ts', `import './src/preload.js';`],
    ['src/index.ts', `export { x } from './api/apply.js';`],
    ['src/install.ts', `import { x } from './report/stats.js';`],
    ['src/api/a.ts', `import { x } from '../hooks/files/transfer.js';`],
    ['src/hooks/index.ts', `import { x } from './sockets/listener.js';`],
    ['src/hooks/a.ts', `import { x } from './context.js';`],
    ['src/hooks/sockets/a.ts', `import { x } from '../shared-port/drain.js'; import fs from 'node:fs';`],
    ['src/hooks/sockets/b.ts', `import { x } from '../context.js';`],
    ['src/hooks/files/windows/a.ts', `import { x } from '../../../native/linux/sendfile.js';`],
    ['src/hooks/files/windows/b.ts', `import { x } from '../../../node/clock.js';`],
    ['src/node/patch/a.ts', `import { x } from '../net.js';`],
    ['src/config/a.ts', `import { x } from '../diagnostics.js';`],
  ],
  /** The files that are reported. A sample may import what no sample is: it is there, and empty. */
  reported(samples) {
    return inScratch(samples, ['.dependency-cruiser.cjs'], (scratch) => {
      for (const [file, code] of samples) {
        for (const [, path] of code.matchAll(/'(\.[^']*)\.js'/g)) {
          const imported = join(scratch, dirname(file), `${path}.ts`);
          mkdirSync(dirname(imported), { recursive: true });
          if (!existsSync(imported)) writeFileSync(imported, '');
        }
      }
      const { stdout } = run('depcruise', ['--output-type=json', 'register.ts', 'src'], scratch);
      const { modules } = JSON.parse(stdout);
      return modules.filter(({ dependencies }) => dependencies.some(({ valid }) => !valid)).map(({ source }) => source);
    });
  },
};

/** Everything else, which Biome looks at. */
const code = {
  caught: [
    ['src/api/inline-import.ts', `export type X = typeof import('./apply.js');`],
    ['src/api/inline-import-of-type.ts', `export function x(y: import('../hooks/context.js').Hook): void {}`],
    ['src/node/net.ts', 'export interface X { readonly y: number; z?: string; readonly w: 1 }'],
    ['src/hooks/define.ts', `Object.defineProperty(process, 'x', {});`],
    ['src/hooks/define-as-own.ts', `defineProperty(process, 'x', {});`],
    ['src/hooks/define-all.ts', 'Object.defineProperties(process, {});'],
    ['src/hooks/set-prototype.ts', 'Object.setPrototypeOf(socket, null);'],
    ['src/hooks/assign-all.ts', 'Object.assign(socket, { x: 1 });'],
    ['src/hooks/set.ts', `Reflect.set(socket, 'x', 1);`],
    ['src/hooks/delete.ts', `Reflect.deleteProperty(socket, 'x');`],
    ['src/hooks/files/assign-prototype.ts', 'fs().ReadStream.prototype.close = x;'],
    ['src/hooks/files/assign-by-name.ts', 'net().Socket.prototype[name] = x;'],
    ['src/hooks/files/assign-method.ts', 'stream._read = x;'],
    ['src/hooks/files/add.ts', 'socket._handle.x += 1; socket._pending += 1;'],
    ['src/hooks/files/delete-method.ts', 'delete stream._read;'],
    ['src/install-process.ts', 'process.emit = x;'],
    ['src/api/cast.ts', 'export const x = y as unknown;'],
    ['src/api/cast-in-brackets.ts', 'export const x = <unknown>y;'],
    ['src/api/cast-of-target.ts', '(x as number) += 1;'],
    ['src/native/sockopt.ts', `const x = require('koffi');`],
    ['src/native/sendfile.ts', `import x from 'koffi';`],
    ['src/hooks/index.ts', `import { Hook } from 'require-in-the-middle';`],
    ['src/options/platform.ts', 'export const x = process.platform;'],
    ['src/options/os.ts', 'export const x = os.platform();'],
    ['src/options/env.ts', 'export const x = process.env.X;'],
    ['src/options/alias.ts', 'const { env } = process;'],
    ['src/options/import.ts', `import { platform } from 'node:process';`],
  ],
  fine: [
    ['src/config/env.ts', 'export const x = process.env.X;'],
    ['src/native/index.ts', 'export const x = process.platform;'],
    ['src/native/libc.ts', `const x = require('koffi') as unknown;`],
    ['src/preload.ts', `export type X = typeof import('./runtime.js');`],
    ['src/inspect/outside.ts', `export type X = typeof import('prom-client');`],
    ['src/node/net.ts', 'export interface X { readonly y: number; z(): void }'],
    ['src/node/patch/signals.ts', `process.emit = x; Object.defineProperty(process, 'x', {});`],
    ['src/hooks/own.ts', 'source.reason = x; counters.connections++; Object.assign(new Error(), { x });'],
    ['src/cli/main.ts', 'process.exitCode = 1;'],
    ['src/hooks/require.ts', `import { Hook } from 'require-in-the-middle';`],
    ['src/api/literal.ts', 'export const x = [1] as const;'],
    ['test/api/a.test.ts', `import { x } from '../../src/node/patch.js'; const y = x as unknown;`],
  ],
  /** The files that are reported. */
  reported(samples) {
    return inScratch(samples, ['biome.jsonc', 'scripts/lint'], (scratch) => {
      const rules = ['--only=plugin', '--only=style/noProcessEnv'];
      const options = ['--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github'];
      const { stdout } = run('biome', ['lint', ...rules, ...options], scratch);
      const places = stdout.matchAll(/::error [^\n]*?file=([^,]+),/g);
      return Array.from(places, ([, file]) => relative(scratch, file));
    });
  },
};

function run(command, args, cwd) {
  return spawnSync(join(root, 'node_modules/.bin', command), args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 });
}

function inScratch(samples, configuration, act) {
  // Biome reports real paths, and on some systems the temporary directory is a link.
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'lint-self-test-')));
  try {
    for (const path of configuration) cpSync(join(root, path), join(scratch, path), { recursive: true });
    for (const [file, text] of samples) {
      mkdirSync(dirname(join(scratch, file)), { recursive: true });
      writeFileSync(join(scratch, file), `${text}\n`);
    }
    return act(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function mistakesOf({ caught, fine, reported }) {
  const reportedOfCaught = reported(caught);
  const reportedOfFine = reported(fine);
  return [
    ...caught
      .filter(([file]) => !reportedOfCaught.includes(file))
      .map(([file, text]) => `not caught in ${file}: ${text}`),
    ...fine
      .filter(([file]) => reportedOfFine.includes(file))
      .map(([file, text]) => `wrongly caught in ${file}: ${text}`),
  ];
}

const mistakes = [imports, code].flatMap(mistakesOf);
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exit(1);
