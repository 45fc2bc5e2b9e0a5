import { expect } from 'chai';
import { LEFT_ALONE, parseOptionText } from '../../src/config/option-text.js';
import { KINDS, type OptionKind, oneOf } from '../../src/options/kinds.js';
import type { Range } from '../../src/options/quantity.js';

const ANY: Range = [0, Number.MAX_SAFE_INTEGER];

function expectValues<V>(parse: (text: string) => unknown, values: Readonly<Record<string, V>>): void {
  for (const [text, value] of Object.entries(values)) expect(parse(text), `'${text}'`).to.deep.equal({ value });
}

function expectProblems(parse: (text: string) => object, texts: readonly string[]): void {
  for (const text of texts) expect(parse(text), `'${text}'`).to.have.all.keys('expected');
}

function parseSwitch(text: string) {
  return KINDS.flag.parse(text, {});
}

function parseOption(text: string, kind: OptionKind, range = ANY) {
  return parseOptionText(text, { kind, range });
}

describe('kinds of values', () => {
  describe('a switch', () => {
    it('is on or off in any of the usual words, in any case', () => {
      expectValues(parseSwitch, { on: true, ON: true, 1: true, true: true, Yes: true, ' on ': true });
      expectValues(parseSwitch, { off: false, Off: false, 0: false, FALSE: false, no: false });
    });

    it('is nothing else', () => {
      expectProblems(parseSwitch, ['', '2', 'enable', 'o n', 'on,off', '-1']);
      expect(parseSwitch('maybe')).to.deep.equal({ expected: 'on or off' });
    });
  });

  describe('a size', () => {
    const parse = (text: string) => KINDS.bytes.parse(text, { range: ANY });

    it('is a number of bytes, or of a unit that is a power of 1024', () => {
      expectValues(parse, { 0: 0, 65536: 65536, '12b': 12, '1k': 1024, '256kb': 262144, '3KiB': 3072 });
      expectValues(parse, { '2m': 2097152, '1MB': 1048576, '1mib': 1048576, '1g': 2 ** 30, '2GB': 2 ** 31 });
    });

    it('may have a fraction and a space, as long as it comes out in whole bytes', () => {
      expectValues(parse, { '1.5mb': 1572864, '0.5k': 512, '64 k': 65536, ' 4k ': 4096 });
      expectProblems(parse, ['1.1k', '0.3', '1.00001k']);
    });

    it('is not a negative or an exponential number, a unit alone, or a text that only begins with a number', () => {
      expectProblems(parse, ['', 'k', '-1', '+1', '1e3', '0x10', '12 potatoes', '1k2', '1,5k', '1.k', '.5k', 'NaN']);
      expectProblems(parse, ['Infinity', '1s', '1tb', '9999999999999999999']);
    });

    it('is within its range, both ends included, and a problem names the range', () => {
      const within = (text: string) => KINDS.bytes.parse(text, { range: [1024, 4096] });
      expectValues(within, { 1024: 1024, '4k': 4096 });
      const expected = 'a size from 1024 to 4096 bytes, such as 65536, 256k or 1.5mb';
      expect(within('1023')).to.deep.equal({ expected });
      expect(within('4097')).to.deep.equal({ expected });
    });
  });

  describe('a word', () => {
    const parse = (text: string) => oneOf(['lowlatency', 'none']).parse(text, {});

    it('is found in any case, with hyphens and underscores anywhere', () => {
      for (const text of ['lowlatency', 'LowLatency', 'low-latency', 'LOW_LATENCY', '_low-_latency-', ' lowlatency ']) {
        expect(parse(text), text).to.deep.equal({ value: 'lowlatency' });
      }
    });

    it('is not completed, and not found with a space in it', () => {
      expectProblems(parse, ['low', 'lowlatencyy', 'low latency', '']);
    });

    it('is one of the words that the problem lists', () => {
      expect(parse('fast')).to.deep.equal({ expected: 'one of lowlatency, none' });
    });
  });

  describe('a time', () => {
    it('without a unit has the unit of its option', () => {
      for (const kind of ['seconds', 'milliseconds', 'microseconds'] as const) {
        expect(parseOption('30', kind), kind).to.deep.equal({ value: 30 });
      }
    });

    it('is converted from its unit to that of its option', () => {
      const expected: Readonly<Record<string, readonly [OptionKind, number]>> = {
        '2min': ['seconds', 120],
        '1h': ['seconds', 3600],
        '3000ms': ['seconds', 3],
        '0.5min': ['seconds', 30],
        '30s': ['milliseconds', 30_000],
        '1.5S': ['milliseconds', 1500],
        '250 ms': ['milliseconds', 250],
        '8ms': ['microseconds', 8000],
        '12us': ['microseconds', 12],
      };
      for (const [text, [kind, value]] of Object.entries(expected)) {
        expect(parseOption(text, kind), text).to.deep.equal({ value });
      }
    });

    it('may have any fraction that comes out whole, even if binary numbers cannot represent it', () => {
      for (const [text, value] of Object.entries({ '1.1s': 1100, '8.2s': 8200, '16.1s': 16_100, '1.001s': 1001 })) {
        expect(parseOption(text, 'milliseconds'), text).to.deep.equal({ value });
      }
    });

    it('is a problem if it does not come out whole, or has a unit that is not of time', () => {
      const parse = (text: string) => parseOption(text, 'seconds');
      expectProblems(parse, ['1.5s', '1500ms', '1us', '5k', '5m', 's', '', '-5s', '1s 1s']);
    });

    it('is within its range, and a problem names the range and the unit', () => {
      expect(parseOption('0', 'seconds', [1, 127])).to.deep.equal({
        expected: 'a time of whole seconds from 1 to 127, such as 1s or 30s, or off',
      });
      expect(parseOption('128s', 'seconds', [1, 127])).to.have.property('expected');
      expect(parseOption('127s', 'seconds', [1, 127])).to.deep.equal({ value: 127 });
    });
  });

  describe('a count', () => {
    it('is a whole number without a unit, within its range', () => {
      const parse = (text: string) => parseOption(text, 'count', [1, 9]);
      expectValues(parse, { 1: 1, ' 9 ': 9 });
      expectProblems(parse, ['0', '10', '1k', '1s', '1.5', 'one']);
      expect(parse('10')).to.deep.equal({ expected: 'a whole number from 1 to 9, or off' });
    });
  });

  describe('a network interface', () => {
    const parse = (text: string) => parseOption(text, 'device');

    it('has nearly any name, in letters that differ by case', () => {
      expectValues(parse, {
        eth0: 'eth0',
        ' Uplink ': 'Uplink',
        'br-a1b2c3d4e5f6': 'br-a1b2c3d4e5f6',
        'vlan.7': 'vlan.7',
      });
    });

    it('is a problem where the kernel has no such names: too long, in bytes, or with a space, a slash or a colon', () => {
      expectProblems(parse, ['', 'sixteen-letters0', 'ü'.repeat(8), 'eth 0', 'a/b', 'eth0:1', '.', '..']);
      expect(parse('a/b')).to.deep.equal({
        expected: 'the name of a network interface, of up to 15 letters, or off',
      });
    });

    it('is left alone by "off"', () => {
      expect(parse('off')).to.deep.equal({ value: LEFT_ALONE });
    });
  });

  describe('of an option', () => {
    it('is left alone by "off" where a number is expected', () => {
      for (const kind of ['count', 'bytes', 'seconds', 'milliseconds', 'microseconds'] as const) {
        expect(parseOption(' OFF ', kind), kind).to.deep.equal({ value: LEFT_ALONE });
      }
    });

    it('is left alone by "auto" only where a size is expected, and the problem says so', () => {
      expect(parseOption('Auto', 'bytes')).to.deep.equal({ value: LEFT_ALONE });
      for (const kind of ['count', 'seconds', 'flag', 'rearm'] as const) {
        expect(parseOption('auto', kind), kind).to.have.property('expected');
      }
      expect(parseOption('much', 'bytes', [1, 2])).to.deep.equal({
        expected: 'a size from 1 to 2 bytes, such as 65536, 256k or 1.5mb, or auto',
      });
    });

    it('is false, and not left alone, by "off" where a flag is expected', () => {
      expect(parseOption('off', 'flag')).to.deep.equal({ value: false });
      expect(parseOption('on', 'flag')).to.deep.equal({ value: true });
    });

    it('is on, once or off where the option is re-armed', () => {
      expectValues((text) => parseOption(text, 'rearm'), { ON: 'on', once: 'once', off: 'off' });
      expectProblems((text) => parseOption(text, 'rearm'), ['1', 'true', 'twice', '']);
    });
  });
});
