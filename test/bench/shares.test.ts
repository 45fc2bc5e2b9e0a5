// A reader who divides: every share and ratio that is told must be the quotient of the figures beside it, as they are printed.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { pagesFrom, readRuns } from '../../bench/results.js';
import { RESULTS } from '../../scripts/pages/bench-figures.js';
import { sampleResults } from './sample-results.js';

const ROOT = new URL('../../../', import.meta.url);
const SCALES: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, B: 1e9 };

/** `6,640 (4,870–7,500)`, `115K`; no number of what does not begin with one. */
function figureIn(text = ''): number {
  const [, digits = '', scale = ''] = /^([\d.,]*\d)([KMB]?)(?![\w])/.exec(text) ?? [];
  return digits === '' ? Number.NaN : Number(digits.replaceAll(',', '')) * (SCALES[scale] ?? 1);
}

/** Half of the last place of a number of three digits. */
function halfPlace(value: number): number {
  return value === 0 ? 0 : 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
}

const ROUNDING = 1e-9;

/** What is wrong with a share, or nothing. */
function faultOf(share: string, own: string, base: string): string | undefined {
  const [, digits, unit] = /^([\d.,]+) (%|×)$/.exec(share) ?? [];
  const [quotient, told] = [figureIn(own) / figureIn(base), figureIn(digits)];
  const expected = unit === '%' ? quotient * 100 : quotient;
  const isWhole = unit === '%' && told >= 1;
  const most = (isWhole ? 0.5 : halfPlace(told)) + ROUNDING * told;
  return Math.abs(expected - told) <= most ? undefined : `${own} / ${base} = ${quotient}, and not ${share}`;
}

/** What a text tells: how many shares, and those that do not divide. */
class Reader {
  count = 0;
  readonly faults: string[] = [];

  share(share: string, own: string, base: string): void {
    this.count++;
    const fault = faultOf(share, own, base);
    if (fault !== undefined) this.faults.push(fault);
  }

  ratio(ratio: string, own: string, base: string): void {
    this.count++;
    const [quotient, told] = [figureIn(own) / figureIn(base), figureIn(ratio)];
    if (!(Math.abs(quotient - told) <= halfPlace(told) * (1 + ROUNDING)))
      this.faults.push(`${own} / ${base} = ${quotient}, and not ${ratio}`);
  }
}

type Rows = readonly (readonly string[])[];

/** The tables of a text in Markdown, their heads first. */
function tablesIn(markdown: string): Rows[] {
  const blocks = markdown.split('\n\n').filter((block) => block.startsWith('|'));
  return blocks.map((block) => {
    const rows = block
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    return rows.filter((_, index) => index !== 1);
  });
}

const BASES: readonly string[] = ['Node.js', 'node'];
const SHARE = /, ([\d.,]+ (?:%|×))$/;

function readComparison([head = [], ...rows]: Rows, reader: Reader): void {
  const base = head.findIndex((name) => BASES.includes(name));
  for (const row of rows) {
    for (const cell of row.slice(1)) {
      const share = SHARE.exec(cell)?.[1];
      if (share !== undefined) reader.share(share, cell, row[base] ?? '');
    }
  }
}

function readRatios([head = [], ...rows]: Rows, reader: Reader): void {
  for (const [column, name] of head.entries()) {
    const [ours, base] = name
      .split('/')
      .map((part) => head.findLastIndex((one) => one === part || one.endsWith(`: ${part}`)));
    for (const row of rows) {
      const ratio = row[column] ?? '';
      if (Number.isNaN(figureIn(ratio))) continue;
      if (name === 'CPU/stock') {
        // The one table that has its contenders in rows.
        const cpu = head.indexOf('server CPU, µs');
        const stock = rows.find((other) => other[0] === row[0] && other[1] === 'stock');
        reader.ratio(ratio, row[cpu] ?? '', stock?.[cpu] ?? '');
      } else if (ours !== undefined && base !== undefined && ours >= 0 && base >= 0) {
        reader.ratio(ratio, row[ours] ?? '', row[base] ?? '');
      }
    }
  }
}

function readSentences(text: string, reader: Reader): void {
  for (const [, share = '', way, own = '', base = ''] of text.matchAll(
    /(\d+) % (less|more)[^(;]*\(([\d.,]+[KMB]?) µs a request instead of ([\d.,]+[KMB]?) µs\)/g,
  )) {
    const told = way === 'less' ? 100 - Number(share) : 100 + Number(share);
    reader.share(`${told} %`, own, base);
  }
  for (const [, own = '', base = '', share = ''] of text.matchAll(
    / ([\d.,]+[KMB]?) [^;:]*? instead of ([\d.,]+[KMB]?), ([\d.,]+ (?:%|×)) of Node\.js’s/g,
  ))
    reader.share(share, own, base);
}

function readMarkdown(text: string): Reader {
  const reader = new Reader();
  for (const table of tablesIn(text)) {
    readComparison(table, reader);
    readRatios(table, reader);
  }
  readSentences(text, reader);
  return reader;
}

/** The figures of each chart: its contenders are rows. A bar's label tells a share as well. */
function readHtml(html: string): Reader {
  const reader = new Reader();
  for (const [figure] of html.matchAll(/<figure class="card">.*?<\/figure>/gs)) {
    const rows = [...figure.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
      [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell),
    );
    for (const [x, , median = '', , share = ''] of rows) {
      const base = rows.find((row) => row[0] === x && BASES.includes(row[1] ?? ''));
      if (/%|×/.test(share)) reader.share(share, median, base?.[2] ?? '');
    }
    for (const [, value = '', share = ''] of figure.matchAll(/>([\d.,]+[KMB]?) [^<>]* · ([\d.,]+ (?:%|×))</g)) {
      reader.count++;
      if (!rows.some((row) => row[2] === value && row[4] === share)) reader.faults.push(`a bar: ${value} · ${share}`);
    }
  }
  readSentences(html, reader);
  return reader;
}

describe('a reader who divides', () => {
  for (const [name, runs, least] of [
    ['results that never were', [sampleResults()] as const, 60],
    ['the kept results', readRuns(RESULTS), 300],
  ] as const) {
    it(`finds every share on the pages of ${name}`, () => {
      const { 'results.md': markdown = '', 'index.html': html = '' } = pagesFrom(runs);
      for (const reader of [readMarkdown(markdown), readHtml(html)]) {
        expect(reader.faults).to.deep.equal([]);
        expect(reader.count).to.be.greaterThan(least);
      }
    });
  }

  for (const [file, least] of [
    ['README.md', 5],
    ['docs/presets.md', 100],
  ] as const) {
    it(`finds every share in ${file}`, () => {
      const reader = readMarkdown(readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8'));
      expect(reader.faults).to.deep.equal([]);
      expect(reader.count).to.be.greaterThan(least);
    });
  }

  it('finds fault with what does not divide', () => {
    const table = ['| x | Node.js | socket-tune |', '| - | - | - |', '| here | 11.5 | 11.6 (11–12), 100 % |'].join(
      '\n',
    );
    expect(readMarkdown(table).faults).to.have.length(1);
    expect(readMarkdown(table.replace('100 %', '101 %'))).to.deep.include({ count: 1, faults: [] });
    const ratios = ['| x | stock | tuned | tuned/stock |', '| - | - | - | - |', '| here | 145 | 74.2 | 0.513 |'].join(
      '\n',
    );
    expect(readMarkdown(ratios).faults).to.have.length(1);
    expect(readMarkdown(ratios.replace('0.513', '0.512')).faults).to.deep.equal([]);
    const told =
      'costs 82 % less CPU time (894 µs a request instead of 4,960 µs); it: b 14 µs of CPU instead of 11, 126 % of Node.js’s';
    expect(readMarkdown(told)).to.deep.include({ count: 2 }).and.have.property('faults').with.length(1);
  });
});
