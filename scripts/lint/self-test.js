// Do the rules of this folder still fire? A plugin that no longer matches, say after an update of Biome, is silent and
// looks just like clean code. So each one is run on samples, in a scratch directory that has the project's own
// configuration: `caught` samples must be reported, `fine` ones must not.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const biome = join(root, 'node_modules/.bin/biome');

const caught = [
  ['register.ts', `import './src/install.js';`],
  ['src/index.ts', `export { x } from './hooks/listener.js';`],
  ['src/install.ts', `import { x } from './index.js';`],
  ['src/errors.ts', `import { x } from './diagnostics.js';`],
  ['src/api/a.ts', `import { x } from '../report/stats.js';`],
  ['src/hooks/a.ts', `import type { X } from '../config/config.js';`],
  ['src/file-region/a.ts', `export { x } from '../hooks/listener.js';`],
  ['src/report/a.ts', `import * as x from '../config/config.js';`],
  ['src/options/a.ts', `import '../config/config.js';`],
  ['src/native/a.ts', `const x = await import('../options/table.js');`],
  ['src/config/a.ts', `const x = require('../native/index.js');`],
  ['src/config/b.ts', `import { x } from '../install.js';`],
  ['src/config/c.ts', `import { x } from '../options/../native/index.js';`],
  ['src/config/d.ts', `import { x } from '..';`],
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
];

const fine = [
  ['register.ts', `import './src/preload.js';`],
  ['src/index.ts', `export { x } from './api/apply.js';`],
  ['src/install.ts', `import { x } from './report/stats.js';`],
  ['src/api/a.ts', `import { x } from '../file-region/transfer.js';`],
  ['src/hooks/a.ts', `import { x } from './patch.js';`],
  ['src/config/a.ts', `import { x } from '../diagnostics.js';`],
  ['src/config/env.ts', 'export const x = process.env.X;'],
  ['src/native/index.ts', 'export const x = process.platform;'],
  ['src/native/libc.ts', `const x = require('koffi') as unknown;`],
  ['src/hooks/require.ts', `import { Hook } from 'require-in-the-middle';`],
  ['src/api/literal.ts', 'export const x = [1] as const;'],
  ['test/api/a.test.ts', `import { x } from '../../src/hooks/patch.js'; const y = x as unknown;`],
];

/** The files among these samples that a rule of ours reports. */
function reported(samples) {
  // Biome reports real paths, and on some systems the temporary directory is a link.
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'lint-self-test-')));
  try {
    cpSync(join(root, 'biome.jsonc'), join(scratch, 'biome.jsonc'));
    cpSync(join(root, 'scripts/lint'), join(scratch, 'scripts/lint'), { recursive: true });
    for (const [file, code] of samples) {
      mkdirSync(dirname(join(scratch, file)), { recursive: true });
      writeFileSync(join(scratch, file), `${code}\n`);
    }
    const rules = ['--only=plugin', '--only=style/noProcessEnv'];
    const options = ['--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github'];
    const { stdout } = spawnSync(biome, ['lint', ...rules, ...options], { cwd: scratch, encoding: 'utf8' });
    return new Set(Array.from(stdout.matchAll(/::error [^\n]*?file=([^,]+),/g), ([, file]) => relative(scratch, file)));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const reportedOfCaught = reported(caught);
const reportedOfFine = reported(fine);
const mistakes = [
  ...caught.filter(([file]) => !reportedOfCaught.has(file)).map(([file, code]) => `not caught in ${file}: ${code}`),
  ...fine.filter(([file]) => reportedOfFine.has(file)).map(([file, code]) => `wrongly caught in ${file}: ${code}`),
];
for (const mistake of mistakes) console.error(mistake);
if (mistakes.length > 0) process.exit(1);
