// The types of a config, with the doc, unit, range and default of each key, made from the rows of src/options and src/config/settings.ts:
//   src/options/option-values.ts       all of it;
//   src/config/tune-config.ts          the comments of the interface Settings.
//
// With --check it writes nothing, and fails if a file is not what the rows make of it. It needs no build: types that do not fit a new
// row would not let the project be compiled.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OPTION_VALUES = join(ROOT, 'src/options/option-values.ts');
const TUNE_CONFIG = join(ROOT, 'src/config/tune-config.ts');

/** The rows and the kinds of values, from the sources as they are now. */
async function loadTables() {
  const directory = mkdtempSync(join(ROOT, 'build-tables-'));
  try {
    const outfile = join(directory, 'tables.mjs');
    const contents = ['options/table', 'options/kinds', 'config/settings']
      .map((path) => `export * from './src/${path}.js';`)
      .join('\n');
    const stdin = { contents, resolveDir: ROOT, loader: 'ts' };
    await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const LONGEST_LINE = 130;

/** A comment of TSDoc, whose paragraphs are broken into lines. */
function comment(paragraphs) {
  const lines = paragraphs.flatMap((paragraph, index) => {
    const broken = [];
    let line = '';
    for (const word of paragraph.replaceAll('*/', '* /').split(' ')) {
      if (line !== '' && line.length + word.length >= LONGEST_LINE) {
        broken.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    return [...(index === 0 ? [] : ['']), ...broken, line];
  });
  return ['  /**', ...lines.map((line) => `   * ${line}`.trimEnd()), '   */'].join('\n');
}

/** A value as code has it. */
function literal(value) {
  return `\`${typeof value === 'string' ? `'${value}'` : String(value)}\``;
}

/** Kinds whose values are words: they parse each of them. */
function wordsOf(kind) {
  const words = kind.describeValues({}).split(', ');
  return words.every((word) => /^[a-z]+$/.test(word) && kind.accepts(word, {})) ? words : undefined;
}

/** The type of an option's values. */
function typeOf(kind, sample) {
  if (typeof sample !== 'string') return typeof sample;
  return (
    wordsOf(kind)
      ?.map((word) => `'${word}'`)
      .join(' | ') ?? 'string'
  );
}

/** The values that code may give. */
function valuesOf(kind, limits) {
  if (kind.accepts(true, {})) return '`true` or `false`';
  return (
    wordsOf(kind)
      ?.map((word) => literal(word))
      .join(', ') ?? kind.describeValues(limits)
  );
}

function presetsOf({ presets }) {
  const told = ['default', 'lowlatency', 'highthroughput']
    .filter((name) => presets[name] !== undefined)
    .map((name) => `${name} ${literal(presets[name])}`);
  return told.length === 0 ? 'No preset sets it: the kernel decides.' : `Presets: ${told.join(', ')}.`;
}

function optionProperty(row, kind) {
  const facts = `Values: ${valuesOf(kind, row)}. ${presetsOf(row)}`;
  const names = `Variable: \`SOCKET_TUNE_${row.variable}\`. In the kernel: ${row.constant}.`;
  return `${comment([row.doc, facts, names])}\n  readonly ${row.key}?: ${typeOf(kind, row.sample)};`;
}

/** The file src/options/option-values.ts. */
function optionValuesFile({ OPTION_ROWS, KINDS }) {
  return `// Made from the rows of options by scripts/option-types.js. A change of a row is followed by \`node scripts/option-types.js\`.
import type { RawOption } from './raw-option.js';

/** The options of a config. The kernel and Node decide about an option that is absent. */
export interface OptionValues {
${OPTION_ROWS.map((row) => optionProperty(row, KINDS[row.kind])).join('\n')}
${comment(['Options by their numbers, for what the table does not have.', 'Variable: `SOCKET_TUNE_RAW`.'])}
  readonly raw?: readonly RawOption[];
}

/** Key of an option in a config. */
export type OptionKey = Exclude<keyof OptionValues, 'raw'>;
`;
}

function settingComment({ doc, kind, variable, default: usual, ...limits }) {
  const sentence = `${doc[0].toUpperCase()}${doc.slice(1)}.`;
  return comment([
    sentence,
    `Values: ${valuesOf(kind, limits)}. Default: ${literal(usual)}.`,
    `Variable: \`${variable}\`.`,
  ]);
}

const SETTINGS_INTERFACE = /(export interface Settings \{\n)([\s\S]*?)(\n\}\n)/;

/** The file src/config/tune-config.ts, with new comments in its Settings. The types of the properties stay. */
function withSettingComments(text, { SETTINGS }) {
  return text.replace(SETTINGS_INTERFACE, (_, begin, body, end) => {
    const properties = Array.from(body.matchAll(/^ {2}readonly (\w+)\?: [^;]+;/gm));
    const lines = properties.map(([line, key]) => `${settingComment(SETTINGS[key])}\n${line}`);
    return begin + lines.join('\n') + end;
  });
}

const tables = await loadTables();
const files = new Map([
  [OPTION_VALUES, optionValuesFile(tables)],
  [TUNE_CONFIG, withSettingComments(readFileSync(TUNE_CONFIG, 'utf8'), tables)],
]);
const isCheck = process.argv.includes('--check');
for (const [file, text] of files) {
  if (!isCheck) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is not what the rows make of it: node scripts/option-types.js`);
    process.exitCode = 1;
  }
}
