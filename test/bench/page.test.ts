import { expect } from 'chai';
import { inOrder, pagesFrom, type Results, type Runs } from '../../bench/results.js';
import type { Comparison } from '../../bench/scenario.js';
import { FILES_CPU, HOSTILE, sampleResults } from './sample-results.js';

function page(results: Results): string {
  return pagesFrom([results])['index.html'] ?? '';
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
    expect(html).to.include(
      'Of 3 goals that we had set, 1 were reached, 1 missed, and 1 could not be judged (too noisy).',
    );
    expect(html).to.include(
      'files: Server CPU, tuned/stock, 1 GB: tuned/stock too noisy; the goal was ≤ 0.33 (medians say above 1, 1.1; rounds say below 1, 0.9)',
    );
    expect(html).to.include('files: Server CPU, tuned/stock, 10 KB: tuned/stock 0.5; the goal was ≤ 0.33');
    expect(html).to.include('cold could not be measured: the disk &lt;is&gt; gone');
    expect(html).to.include(
      'Bars of paths: default 24 Mbit/s instead of 31, 77 % of Node.js’s at 40 ms, 100 Mbit/s, 1 % lost, bbr',
    );
  });

  it('takes for a clear loss only what no round of stock was as bad as', () => {
    const clear = page(resultsOf([10, 11, 12], [13, 14, 15]));
    expect(clear).to.include(
      'The only one: socket-tune 14 µs of CPU a request instead of 11, 127 % of Node.js’s at here',
    );
    const within = page(resultsOf([10, 11, 15], [13, 14, 15]));
    expect(within).not.to.include('The only one: socket-tune');
    expect(within).to.include('within the spread of the rounds: 1;');
    const better = page(resultsOf([10, 11, 12], [13, 14, 15], { better: 'higher' }));
    expect(better).not.to.include('The only one: socket-tune');
    expect(better).to.include('within the spread of the rounds: 0;');
  });

  it('says too noisy, and no share, where the rounds say the opposite of the medians', () => {
    // By the medians more, by two rounds of three less.
    const { 'index.html': html = '', 'results.md': markdown } = pagesFrom([resultsOf([12, 10, 1], [11, 9, 20])]);
    expect(markdown).to.match(/\| here +\| 10 \(1–12\) \| 11 \(9–20\), too noisy \|/);
    expect(html).to.include('neither better nor worse for sure (too noisy): 1.');
    expect(html).to.include('11 µs · too noisy').and.not.to.include('110 %');
  });

  it('tells what a signal has kept from being measured', () => {
    for (const text of Object.values(pagesFrom([{ ...sampleResults(), interrupted: ['link', 'seed'] }]))) {
      expect(text).to.include('interrupted before these were measured: link, seed');
    }
  });

  it('bears points that are missing, single rounds, nothing at all, and values of any size', () => {
    const { 'index.html': html = '', 'results.md': markdown = '' } = pagesFrom([sampleResults()]);
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
    expect(pagesFrom([sampleResults()])).to.deep.equal(pagesFrom([sampleResults()]));
  });
});

describe('the pages of several Nodes', () => {
  const newest = { stock: [100, 101, 102], tuned: [40, 41, 42] } as const;

  /** The run of another Node beside one of Node 26. */
  function runs(stock: readonly number[], tuned: readonly number[]): Runs {
    const of = (node: string, results: Results): Results => ({ ...results, machine: { ...results.machine, node } });
    return inOrder([of('v24.9.0', resultsOf(stock, tuned)), of('v26.5.0', resultsOf(newest.stock, newest.tuned))]);
  }

  it('are about the newest, and have another beside it where that differs', () => {
    const { 'index.html': html, 'results.md': markdown } = pagesFrom(runs([100, 101, 102], [60, 61, 62]));
    expect(markdown).to.match(/\| here +\| +101 \(100–102\) \| +41 \(40–42\), 41 % \|/);
    expect(markdown).to.match(/\| here \(Node 24\) +\| +101 \(100–102\) \| +61 \(60–62\), 60 % \|/);
    expect(markdown).to.include('The only one, Node 24: socket-tune at here 60 % of Node.js’s instead of 41 %');
    expect(html).to.include('Node 24: socket-tune at here 60 % of Node.js’s instead of 41 %');
  });

  it('say so where it differs nowhere', () => {
    const { 'index.html': html, 'results.md': markdown } = pagesFrom(runs([200, 201, 202], [80, 81, 84]));
    expect(markdown).to.include('## Where another Node differs\n\nNowhere.').and.not.to.include('here (Node 24)');
    expect(html).to.include('They differ nowhere.');
  });

  it('name another Node where a tuned app lost with that', () => {
    const { 'results.md': markdown } = pagesFrom(runs([10, 11, 12], [13, 14, 15]));
    expect(markdown).to.include('clearly worse with Node 24: The only one: socket-tune 14');
  });
});

describe('the results in Markdown', () => {
  it('have the median, the spread, and the share of stock of each contender', () => {
    const markdown = pagesFrom([resultsOf([10, 11, 12], [4, 5.5, 6])])['results.md'];
    expect(markdown).to.match(/\| size of the file, in bytes +\| +Node\.js +\| +socket-tune +\|/);
    expect(markdown).to.match(/\| here +\| +11 \(10–12\) \| 5\.5 \(4–6\), 50 % \|/);
  });
});
