import { expect } from 'chai';
import { OPTION_ROWS, optionValue, toInt } from '../../src/options/table.js';

function isWithin(value: unknown, range: readonly [number, number] | undefined): boolean {
  return typeof value !== 'number' || range === undefined || (value >= range[0] && value <= range[1]);
}

describe('the option table', () => {
  it('names every option, variable and constant once', () => {
    for (const column of ['key', 'variable', 'constant'] as const) {
      const names = OPTION_ROWS.map((row) => row[column]);
      expect(names.length).to.be.greaterThan(10);
      expect(new Set(names).size, column).to.equal(names.length);
    }
  });

  it('writes keys in camel case, variables and constants in capitals', () => {
    for (const row of OPTION_ROWS) {
      expect(row.key).to.match(/^[a-z]+([A-Z][a-z]+)*$/);
      expect(row.variable).to.match(/^[A-Z]+(_[A-Z]+)*$/);
      expect(row.constant).to.match(/^(SO|TCP)_[A-Z_]+$/);
    }
  });

  it('keeps presets and samples within the range of their row', () => {
    for (const row of OPTION_ROWS) {
      for (const value of [row.sample, ...Object.values(row.presets)]) {
        expect(isWithin(value, row.range), `${row.key} ${value}`).to.equal(true);
      }
    }
  });

  it('gives every number a range, and no range to anything else', () => {
    for (const row of OPTION_ROWS) {
      const isNumber = row.kind !== 'flag' && row.kind !== 'rearm';
      expect(row.range !== undefined, row.key).to.equal(isNumber);
      for (const value of [row.sample, ...Object.values(row.presets)]) {
        expect(typeof value === 'number', `${row.key} ${value}`).to.equal(isNumber);
      }
    }
  });

  it('has samples that no preset has, where there is a choice', () => {
    for (const row of OPTION_ROWS) {
      if (typeof row.sample === 'number') expect(Object.values(row.presets), row.key).not.to.include(row.sample);
    }
  });

  it('names only options of its own that another requires', () => {
    const keys = new Set<string>(OPTION_ROWS.map((row) => row.key));
    const required = OPTION_ROWS.flatMap((row) => row.requires ?? []);
    expect(required).not.to.be.empty;
    for (const key of required) expect(keys).to.include(key);
  });

  it('knows what Node rewrites: the times of keepalive of which an app cannot speak', () => {
    const rewritten = OPTION_ROWS.filter((row) => row.rewrittenByNode).map((row) => row.key);
    expect(rewritten).to.have.members(['keepAliveInterval', 'keepAliveCount']);
  });

  it('never sets on accepted sockets what only listeners have, and says of every row where it belongs', () => {
    for (const row of OPTION_ROWS) {
      expect(row.targets, row.key).not.to.be.empty;
      expect(row.families, row.key).not.to.be.empty;
      expect(row.doc, row.key).to.match(/\.$/);
    }
    const listenerOnly = OPTION_ROWS.filter((row) => row.targets.join() === 'listener').map((row) => row.key);
    expect(listenerOnly).to.have.members(['deferAccept', 'fastOpen']);
  });

  it('finds the value of a row in a config, and nothing where there is none', () => {
    const row = OPTION_ROWS.find((candidate) => candidate.key === 'userTimeout')!;
    expect(optionValue({ userTimeout: 5 }, row)).to.equal(5);
    expect(optionValue({ noDelay: true }, row)).to.equal(undefined);
  });

  it('turns values into the int that the kernel takes, and "off" into none', () => {
    expect([true, false, 0, 77, 'on', 'once', 'off'].map((value) => toInt(value as never))).to.deep.equal([
      1,
      0,
      0,
      77,
      1,
      1,
      undefined,
    ]);
  });
});
