import { expect } from 'chai';
import { KINDS } from '../../src/options/kinds.js';
import { OPTION_ROWS, optionValue, PLANNED_OPTIONS } from '../../src/options/table.js';

function isWithin(value: unknown, range: readonly [number, number] | undefined): boolean {
  return typeof value !== 'number' || range === undefined || (value >= range[0] && value <= range[1]);
}

describe('the option table', () => {
  it('names every option and variable once, and every constant once for each kind of socket', () => {
    for (const column of ['key', 'variable'] as const) {
      const names = OPTION_ROWS.map((row) => row[column]);
      expect(names.length).to.be.greaterThan(10);
      expect(new Set(names).size, column).to.equal(names.length);
    }
    const set = OPTION_ROWS.filter((row) => !row.watched);
    const places = set.flatMap((row) => row.targets.map((target) => `${row.constant} on ${target} sockets`));
    expect(new Set(places).size).to.equal(places.length);
  });

  it('writes keys in camel case, variables and constants in capitals', () => {
    for (const row of OPTION_ROWS) {
      expect(row.key).to.match(/^[a-z]+([A-Z][a-z]+)*$/);
      expect(row.variable).to.match(/^[A-Z]+[0-9]?(_[A-Z]+)*$/);
      expect(row.constant).to.match(/^(?:(?:SO|TCP|IP|IPV6|IPPROTO)_[A-Z_]+2?|listen\(2\))$/);
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
      const isNumber = !['flag', 'rearm', 'share', 'name', 'device'].includes(row.kind);
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

  it('knows what Node overwrites: the keepalive options that its API does not have', () => {
    const rewritten = OPTION_ROWS.filter((row) => row.rewrittenByNode).map((row) => row.key);
    expect(rewritten).to.have.members(['keepAliveInterval', 'keepAliveCount']);
  });

  it('has targets, families and a documented meaning in every row, and four options for listeners alone', () => {
    for (const row of OPTION_ROWS) {
      expect(row.targets, row.key).not.to.be.empty;
      expect(row.families, row.key).not.to.be.empty;
      expect(row.doc, row.key).to.match(/\.$/);
    }
    const listenerOnly = OPTION_ROWS.filter((row) => row.targets.join() === 'listener').map((row) => row.key);
    expect(listenerOnly).to.have.members(['deferAccept', 'fastOpen', 'backlog', 'reusePort']);
  });

  it('finds the value of a row in a config, if there is one', () => {
    const row = OPTION_ROWS.find((candidate) => candidate.key === 'userTimeout')!;
    expect(optionValue({ userTimeout: 5 }, row)).to.equal(5);
    expect(optionValue({ noDelay: true }, row)).to.equal(undefined);
  });

  it('turns values into the int of setsockopt(2), and "off" into none', () => {
    expect([true, false].map(KINDS.flag.toKernel)).to.deep.equal([1, 0]);
    expect([0, 77].map(KINDS.count.toKernel)).to.deep.equal([0, 77]);
    expect((['on', 'once', 'off'] as const).map(KINDS.rearm.toKernel)).to.deep.equal([1, 1, undefined]);
  });

  it('passes a name on as it is, even one that is a word of other kinds', () => {
    expect(['bbr', 'off', 'on'].map(KINDS.name.toKernel)).to.deep.equal(['bbr', 'off', 'on']);
  });

  it('lists planned options, which the table does not have yet', () => {
    const variables = OPTION_ROWS.map((row) => row.variable);
    expect(PLANNED_OPTIONS).not.to.be.empty;
    for (const { variable, doc } of PLANNED_OPTIONS) {
      expect(variables).not.to.include(variable);
      expect(doc).to.match(/\.$/);
    }
  });

  it('gives words only to numbers, and only numbers within their range', () => {
    const named = OPTION_ROWS.filter((row) => row.words !== undefined);
    expect(named).not.to.be.empty;
    for (const { key, kind, words, range } of named) {
      expect(kind, key).to.equal('count');
      for (const value of Object.values(words!)) expect(isWithin(value, range), `${key} ${value}`).to.equal(true);
    }
  });
});
