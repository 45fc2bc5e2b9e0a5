import { expect } from 'chai';
import { pagesFrom, type Results } from '../../bench/results.js';
import type { Comparison } from '../../bench/scenario.js';
import { FILES_CPU, HOSTILE, sampleResults } from './sample-results.js';

function page(results: Results): string {
  return pagesFrom(results)['index.html'] ?? '';
}

/** A comparison of stock and tuned by their samples, as the only thing that was measured. */
function resultsOf(stock: readonly number[], tuned: readonly number[], more: Partial<Comparison> = {}): Results {
  const series = Object.entries({ stock, tuned }).map(([contender, samples]) => ({
    contender,
    points: [{ x: 'here', samples }],
  }));
  const [first] = sampleResults().scenarios;
  const comparisons: Comparison[] = [
    { ...FILES_CPU, id: 'only', title: 'The only one', kind: 'bars', series, ...more },
  ];
  return { ...sampleResults(), failed: [], scenarios: [{ ...first!, tables: [], comparisons }] };
}

describe('the page of the benchmarks', () => {
  it('opens with three sentences, then the chart that matters, then what was missed', () => {
    const html = page(sampleResults());
    expect(html.match(/class="lead"/g)).to.have.length(3);
    expect(html).to.include(
      'a file of 10 MB costs the server 82 % less CPU time (894 µs a request instead of 4,960 µs)',
    );
    expect(html).to.include('10 KB gains least: 53 % less');
    const order = ['class="lead"', 'card main-chart', 'Where it falls short', 'id="files"'].map((text) =>
      html.indexOf(text),
    );
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    expect(order).not.to.include(-1);
  });

  it('says loses where it loses', () => {
    const results = sampleResults();
    const swapped = { stock: 'tuned', tuned: 'stock' } as const;
    const series = FILES_CPU.series.map((one) => ({
      ...one,
      contender: one.contender in swapped ? swapped[one.contender as keyof typeof swapped] : one.contender,
    }));
    const [files, ...rest] = results.scenarios;
    const html = page({ ...results, scenarios: [{ ...files!, comparisons: [{ ...FILES_CPU, series }] }, ...rest] });
    expect(html).to.include('10 MB loses: 455 % more');
  });

  it('tells missed goals, scenarios that failed, and where it is clearly worse than stock', () => {
    const html = page(sampleResults());
    expect(html).to.include('1 of 2 goals that we had set were reached');
    expect(html).to.include('files: Server CPU, tuned/stock, 10 KB: tuned/stock 0.5; the goal was ≤ 0.33');
    expect(html).to.include('cold could not be measured: the disk &lt;is&gt; gone');
    expect(html).to.include('Bars of paths: default 24 Mbit/s, 77 % of Node.js’s at 40 ms, 100 Mbit/s, 1 % lost, bbr');
  });

  it('takes for a clear loss only what no round of stock was as bad as', () => {
    const clear = page(resultsOf([10, 11, 12], [13, 14, 15]));
    expect(clear).to.include('The only one: socket-tune 14 µs of CPU a request, 127 % of Node.js’s at here');
    const within = page(resultsOf([10, 11, 15], [13, 14, 15]));
    expect(within).not.to.include('The only one: socket-tune');
    expect(within).to.include('within the spread of the rounds: 1.');
    const better = page(resultsOf([10, 11, 12], [13, 14, 15], { better: 'higher' }));
    expect(better).not.to.include('The only one: socket-tune').and.not.to.include('within the spread of the rounds: ');
  });

  it('bears points that are missing, single rounds, nothing at all, and values of any size', () => {
    const { 'index.html': html = '', 'results.md': markdown = '' } = pagesFrom(sampleResults());
    for (const text of [html, markdown]) expect(text).not.to.match(/NaN|Infinity|undefined|null/);
    expect(html).to.include('Nothing was measured.');
    expect(html).to.include('0.0031 ms').and.include('5.3M ms');
    expect(html).not.to.include('⚠');
  });

  it('takes nothing of what it shows for markup, and needs no network and no script', () => {
    const html = page(sampleResults());
    expect(sampleResults().scenarios.some(({ comparisons }) => JSON.stringify(comparisons).includes(HOSTILE))).to.be
      .true;
    expect(html).not.to.include('<img');
    expect(html).not.to.match(/<script|<link|@import|<[^>]*\b(src=|href="(?!#))|url\(/);
    // Namespaces are names, and are not fetched.
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.to.match(/https?:/);
  });

  it('comes out the same from the same results', () => {
    expect(pagesFrom(sampleResults())).to.deep.equal(pagesFrom(sampleResults()));
  });
});

describe('the results in Markdown', () => {
  it('have the median, the spread, and the share of stock of each contender', () => {
    const markdown = pagesFrom(resultsOf([10, 11, 12], [4, 5.5, 6]))['results.md'];
    expect(markdown).to.match(/\| size of the file, in bytes +\| +Node\.js +\| +socket-tune +\|/);
    expect(markdown).to.match(/\| here +\| +11 \(10–12\) \| 5\.5 \(4–6\), 50 % \|/);
  });
});
