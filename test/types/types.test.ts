import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { SETTINGS } from '../../src/config/settings.js';
import { kindOf } from '../../src/options/kinds.js';
import { OPTION_ROWS } from '../../src/options/table.js';
import { useScratch } from '../support/files/scratch.js';
import { LanguageServer } from '../support/processes/language-server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Sources of a user: as types alone, as a value of CommonJS, and with a mistake that the types must find. */
const SOURCES: Readonly<Record<string, string>> = {
  'types-alone.cts':
    "import type { OptionOutcome, TuneConfig } from 'socket-tune';\nexport const config: TuneConfig = { keepAliveIdle: 5 };\nexport const outcomes: readonly OptionOutcome[] = [];\n",
  'types-alone.mts':
    "import type { OptionOutcome, TuneConfig } from 'socket-tune';\nexport const config: TuneConfig = { keepAliveIdle: 5 };\nexport const outcomes: readonly OptionOutcome[] = [];\n",
};

const MISTAKES = [
  "{ keepAliveIdle: '5s' }",
  '{ keepAlivIdle: 5 }',
  "{ quickAck: 'sometimes' }",
  '{ ports: { 80: { drain: 5 } } }',
];

describe('the published types', () => {
  const scratch = useScratch();

  /** The compiler's complaints about files of the directory of a user. */
  function compile(files: readonly string[], ...options: readonly string[]): string {
    const compiler = join(ROOT, 'node_modules/typescript/lib/tsc.js');
    const always = ['--noEmit', '--strict', '--types', 'node', '--target', 'es2023', '--skipLibCheck', 'false'];
    const args = [compiler, '--ignoreConfig', ...always, ...options, ...files];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: scratch.path('.'), encoding: 'utf8' });
    return `${stdout}${stderr}`;
  }

  before(() => {
    mkdirSync(scratch.path('node_modules'));
    symlinkSync(ROOT, scratch.path('node_modules/socket-tune'));
    symlinkSync(join(ROOT, 'node_modules/@types'), scratch.path('node_modules/@types'));
    cpSync(join(ROOT, 'examples/typed.ts'), scratch.path('typed.mts'));
    cpSync(join(ROOT, 'examples/typed.ts'), scratch.path('typed.ts'));
    cpSync(join(ROOT, 'examples/typed-commonjs.cts'), scratch.path('typed-commonjs.cts'));
    for (const [name, text] of Object.entries(SOURCES)) writeFileSync(scratch.path(name), text);
  });

  for (const [module, resolution] of [
    ['nodenext', 'nodenext'],
    ['node20', 'node16'],
    ['node16', 'node16'],
  ] as const) {
    it(`compile in ES modules and in CommonJS, as types and as values (module ${module})`, () => {
      const files = ['typed.mts', 'typed-commonjs.cts', ...Object.keys(SOURCES)];
      expect(compile(files, '--module', module, '--moduleResolution', resolution)).to.equal('');
    });
  }

  it('compile for a bundler', () => {
    expect(compile(['typed.ts'], '--module', 'esnext', '--moduleResolution', 'bundler')).to.equal('');
  });

  it('find mistakes in a config, in both kinds of modules', () => {
    const files = ['cts', 'mts'].flatMap((extension) =>
      MISTAKES.map((mistake, index) => {
        const text = `import type { TuneConfig } from 'socket-tune';\nexport const config: TuneConfig = ${mistake};\n`;
        const name = `mistake-${index}.${extension}`;
        writeFileSync(scratch.path(name), text);
        return name;
      }),
    );
    const complaints = compile(files, '--module', 'nodenext', '--moduleResolution', 'nodenext');
    for (const file of files)
      expect(complaints, file).to.match(new RegExp(`^${file}.*error TS(?:2322|2353|2561)`, 'm'));
    expect(complaints.match(/error TS/g)).to.have.length(files.length);
  });

  it('are of one module, however it is loaded', () => {
    const script = scratch.file(
      'both.cjs',
      "const api = require('socket-tune'); import('socket-tune').then((esm) => console.log(Object.keys(api).length > 5, Object.keys(esm).every((key) => key === 'module.exports' || esm[key] === api[key])));",
    );
    const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect([stdout, stderr]).to.deep.equal(['true true\n', '']);
  });

  it('are what the rows of options and settings make of them (node scripts/option-types.js)', () => {
    const args = ['scripts/option-types.js', '--check'];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect([status, stderr]).to.deep.equal([0, '']);
  });
});

describe('an editor', () => {
  const scratch = useScratch();
  const server = new LanguageServer();
  let file: string;

  before(async () => {
    mkdirSync(scratch.path('node_modules'));
    symlinkSync(ROOT, scratch.path('node_modules/socket-tune'));
    const options = { module: 'nodenext', strict: true, noEmit: true, types: [] };
    scratch.file('tsconfig.json', JSON.stringify({ compilerOptions: options, include: ['*.mts'] }));
    file = scratch.file(
      'app.mts',
      "import { defaultConfig, install } from 'socket-tune';\ninstall({ ...defaultConfig(), keepAliveIdle: 5, ports: { 80: { userTimeout: 5, } }, });\n",
    );
    await server.begin(scratch.path('.'));
    server.open(file);
  });

  after(() => server.end());

  it('offers every key of a config with its doc, its values and its default', async () => {
    const offered = await server.completions(file, 'defaultConfig(), ');
    const options = OPTION_ROWS.filter(({ key }) => key !== 'keepAliveIdle');
    for (const row of options) {
      const doc = offered.get(row.key);
      // An underscore of the doc may be escaped, as it is Markdown.
      expect(doc?.replaceAll('\\', ''), row.key).to.include(`SOCKET_TUNE_${row.variable}`);
      expect(doc, row.key).to.match(/Values: .*(?:Presets: default|No preset sets it|Presets: )/s);
      if (row.range !== undefined) expect(doc, row.key).to.include(kindOf(row).describeValues(row));
    }
    for (const [key, { variable }] of Object.entries(SETTINGS)) {
      expect(offered.get(key), key).to.include(variable).and.include('Default: ');
    }
  });

  it('offers the keys of the options of a port in the same way', async () => {
    const offered = await server.completions(file, 'userTimeout: 5, ');
    expect(offered.get('keepAliveCount')).to.include('Values: 1 to 127. Presets: default `6`');
    expect([...offered.keys()]).not.to.include('drain');
  });

  it('explains a key where the mouse rests on it', async () => {
    const info = await server.quickInfo(file, 'keepAliveIdle');
    expect(info).to.include('keepAliveIdle?: number');
    expect(info).to.include('Idle time before the first keepalive probe.').and.include('1 to 32767 seconds');
  });
});
