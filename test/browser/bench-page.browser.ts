import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { pagesFrom, type Runs, readRuns } from '../../bench/results.js';
import { RESULTS } from '../../scripts/pages/bench-figures.js';
import { sampleResults } from '../bench/sample-results.js';
import { skip } from '../support/test-run/skipped.js';

/** Debian's chromium; a variable for others. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where screenshots are wanted, for people to look at. */
const SCREENSHOTS = process.env.SCREENSHOTS;

const PAGES = [
  ['a run with all that can go wrong', (): Runs => [sampleResults()]],
  ['the runs that are kept', (): Runs => readRuns(RESULTS)],
] as const;

/**
 * Texts of charts that lie upon each other, or stick out of their card. Runs in the browser; a string, as there are no types of
 * a page here.
 */
const MISPLACED = `(() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg')) {
    if (svg.getBoundingClientRect().width === 0) continue;
    const card = svg.closest('.card').getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
    const boxes = texts.map((text) => ({ content: text.textContent, box: text.getBoundingClientRect() }));
    for (const { content, box } of boxes) {
      if (box.left < card.left || box.right > card.right) found.push('out of its card: ' + content);
    }
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        // Lines of type have room of their own above and below.
        if (width > 0 && height > 4) found.push(one.content + ' upon ' + other.content);
      }
    }
  }
  return found;
})()`;

/** What is folded has charts too. */
const OPEN_ALL = `for (const details of document.querySelectorAll('details')) details.open = true`;

describe('the page of the benchmarks, in a browser', () => {
  let browser: Browser;
  let directory: string;

  before(async function () {
    if (!existsSync(CHROMIUM)) skip(this, `there is no ${CHROMIUM} here`);
    directory = mkdtempSync(join(tmpdir(), 'bench-page-'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });

  after(async () => {
    await browser?.close();
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  async function open(name: string, colorScheme: 'light' | 'dark', width: number): Promise<[Page, string[]]> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(join(directory, name)).href);
    return [page, complaints];
  }

  for (const [what, results] of PAGES) {
    for (const [scheme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['light', 400],
      ['dark', 400],
    ] as const) {
      it(`shows ${what}, ${scheme}, at a width of ${width}, with no label upon another`, async () => {
        const name = `${what.replaceAll(' ', '-')}-${scheme}-${width}`;
        writeFileSync(join(directory, `${name}.html`), pagesFrom(results())['index.html'] ?? '');
        const [page, complaints] = await open(`${name}.html`, scheme, width);
        if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, `bench-${name}.png`), fullPage: true });
        // The findings come before all else, and fit a screen or little more.
        const { y: below } = (await page.locator('h2', { hasText: 'All measurements' }).boundingBox()) ?? {
          y: Number.POSITIVE_INFINITY,
        };
        expect(below).to.be.below(width > 1000 ? 1400 : 2600);
        await page.evaluate(OPEN_ALL);
        expect(await page.locator('figure svg').count()).to.be.greaterThan(5);
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(width);
        expect(await page.evaluate(MISPLACED)).to.deep.equal([]);
        expect(complaints).to.deep.equal([]);
        await page.close();
      });
    }
  }

  it('opens the measurements that a link leads to', async () => {
    writeFileSync(join(directory, 'links.html'), pagesFrom(readRuns(RESULTS))['index.html'] ?? '');
    const [page] = await open('links.html', 'light', 1280);
    expect(await page.locator('#files').isVisible()).to.equal(false);
    await page.goto(`${page.url()}#files`);
    expect(await page.locator('#files').isVisible()).to.equal(true);
    await page.close();
  });
});
