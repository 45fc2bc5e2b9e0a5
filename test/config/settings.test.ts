import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { configFromEnvironment } from '../../src/config/config.js';
import { ENVIRONMENT_SETTINGS, SETTINGS, type Setting } from '../../src/config/settings.js';
import { validateConfig } from '../../src/config/validate.js';
import { KINDS } from '../../src/options/kinds.js';

const README = new URL('../../../README.md', import.meta.url);

/** A default as the README shows it. */
function shown({ default: value }: Setting<unknown>): string {
  if (typeof value === 'boolean') return KINDS.flag.display(value);
  if (value === 0) return '0';
  return typeof value === 'number' ? KINDS.bytes.display(value) : String(value);
}

describe('the rows of settings', () => {
  const all: readonly Setting<unknown>[] = [...Object.values(SETTINGS), ...Object.values(ENVIRONMENT_SETTINGS)];

  it('are the lines of the README’s table: variable, default and meaning', () => {
    const lines = readFileSync(README, 'utf8').split('\n');
    for (const setting of all) {
      const line = lines.find((each) => each.startsWith(`| \`${setting.variable}\` | `));
      expect(line, setting.variable).to.match(/\|$/);
      expect(line?.endsWith(` | ${shown(setting)} | ${setting.doc} |`), line).to.equal(true);
    }
  });

  it('have a variable of their own each, and a default that they accept', () => {
    expect(new Set(all.map(({ variable }) => variable)).size).to.equal(all.length);
    for (const setting of all) expect(setting.kind.accepts(setting.default, setting), setting.variable).to.equal(true);
  });

  it('are what a config has where no variable is set', () => {
    const { config } = configFromEnvironment(new Map([['SOCKET_TUNE_PRESET', 'none']]));
    const defaults = Object.entries(SETTINGS).map(([key, setting]) => [key, setting.default]);
    expect(config).to.deep.equal(Object.fromEntries(defaults));
    expect(validateConfig(config)).to.equal(config);
  });
});
