import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { serve } from '../../src/inspect/server.js';
import type { OptionOutcome } from '../../src/options/outcome.js';
import { CONNECTION_COLUMNS } from '../../src/report/connection-columns.js';
import { busiest, DESTINATION_COLUMNS } from '../../src/report/destination-columns.js';
import { formatBytes } from '../../src/report/format.js';
import type { DestinationReport } from '../../src/report/live/outgoing.js';
import type { ConnectionSnapshot, Snapshot } from '../../src/report/snapshot.js';
import { skip } from '../support/test-run/skipped.js';

/** Debian's chromium; a variable for others. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where screenshots are wanted, for people to look at. */
const SCREENSHOTS = process.env.SCREENSHOTS;

const HOSTILE = '<img src=x onerror="document.title=1">';

function outcome(constant: string, verdict: OptionOutcome['verdict'], cause?: string): OptionOutcome {
  return { option: 'noDelay', constant, asked: 1, kernel: 1, verdict, ...(cause === undefined ? {} : { cause }) };
}

function connection(index: number): ConnectionSnapshot {
  return {
    listener: '[::]:8080',
    peer: `10.0.0.${index}:5${index}000`,
    age: 1000 * 4 ** index,
    bytesRead: 400,
    bytesWritten: 3 * 4 ** (index + 8),
    bytesBySendfile: 2 * 4 ** (index + 8),
    tcp: {
      state: 'ESTAB',
      roundTripTime: 40 * 4 ** index,
      roundTripVariation: 10,
      minRoundTripTime: 30,
      congestionWindow: 10 + index,
      unacknowledged: 3,
      segmentSize: 1448,
      retransmits: index,
      notSentBytes: 1024 * index,
      deliveryRate: 125_000_000 / 4 ** index,
      bytesSent: 1,
      bytesAcknowledged: 1,
      bytesReceived: 1,
      bytesRetransmitted: 0,
    },
  };
}

function destination(index: number): DestinationReport {
  return {
    destination: index === 0 ? HOSTILE : `db-${index}.internal:5432`,
    open: index,
    opened: 10 * index,
    failed: 2,
    connectTime: 12.5 * index,
    dead: 1,
    stale: 3,
    ...(index > 1 && { roundTripTime: 250 * index, retransmits: index }),
  };
}

const REQUESTS = {
  draining: true,
  idleClosed: 12,
  cutConnections: 2,
  unanswered: 1,
  unansweredRequests: [{ method: 'GET', path: HOSTILE, age: 5000 }],
};

function snapshot(at: number, isBusy: boolean): Snapshot {
  const record = { sockets: 0, outcomes: [] };
  const shown = isBusy ? Array.from({ length: 9 }, (_, index) => connection(8 - index)) : [];
  const verdicts: readonly OptionOutcome[] = [
    outcome('TCP_NODELAY', 'applied'),
    outcome('SO_RCVBUF', 'clamped', 'net.core.rmem_max=212992'),
    outcome('TCP_FASTOPEN', 'inert', 'net.ipv4.tcp_fastopen=1 lacks bit 2'),
    outcome('SO_MARK', 'refused', 'EPERM'),
  ];
  const listeners = isBusy
    ? [
        {
          address: '[::]:8080',
          connections: 1234,
          outcomes: [...verdicts],
          accepted: [outcome('TCP_QUICKACK', 'applied')],
          acceptQueue: { length: 3, limit: 128, highest: 129, drops: 1234, raise: 'net.core.somaxconn' },
        },
        {
          address: HOSTILE,
          connections: 1,
          outcomes: [],
          accepted: [],
          acceptQueue: { length: 0, limit: 4096, highest: 2, drops: 0, raise: HOSTILE },
        },
      ]
    : [];
  return {
    pid: 4711,
    title: 'node',
    app: isBusy ? HOSTILE : 'app.js',
    version: '1.2.3',
    node: '24.0.0',
    began: at - 3_700_000,
    at,
    report: {
      listeners,
      connections: isBusy ? 1235 : 0,
      outgoing: record,
      destinations: isBusy ? Array.from({ length: 25 }, (_, index) => destination(index)) : [],
      ...(isBusy && { dropped: { overflows: { since: 1234, total: 5000 }, drops: { since: 1240, total: 6000 } } }),
      requests: isBusy ? REQUESTS : {},
      datagrams: record,
      quickAcks: 0,
      staleConnections: 0,
      files: {
        reroutedStreams: isBusy ? 900 : 0,
        sendfileBytes: isBusy ? (at % 100_000_000) * 9000 : 0,
        copiedBytes: isBusy ? { 'socket-full': (at % 100_000_000) * 900, [HOSTILE]: 5 } : {},
        notRerouted: isBusy ? { 'not-a-plain-socket': 40, 'wrapped-write': 7 } : {},
        inlineCalls: {},
        pooledCalls: {},
        truncatedFiles: 0,
      },
      splices: { pairs: 0, bytes: 0, notSpliced: {} },
    },
    connections: { open: shown.length, shown },
  };
}

/** Texts that reach beyond the window. Strings, as there are no types of a page here: they run in the browser. */
const CUT = `(() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const { left, right, width } = range.getBoundingClientRect();
    if (width > 0 && (left < 0 || right > innerWidth)) found.push(texts.currentNode.textContent);
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
  return found;
})()`;

/** Labels of charts that are smaller on the screen than 11 pixels, after any scaling. */
const SMALL = `[...document.querySelectorAll('svg text')]
  .filter((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a < 10.99)
  .map((text) => text.textContent)`;

describe('the page of a process, in a real browser', () => {
  let browser: Browser;
  let close: () => void;
  let url: string;
  let isBusy = true;

  before(async function () {
    if (!existsSync(CHROMIUM)) skip(this, `there is no ${CHROMIUM} here`);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    const probe: Server = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    url = await new Promise((resolve, reject) => {
      close = serve({
        host: '127.0.0.1',
        ports: [port, port],
        snapshot: () => snapshot(Date.now(), isBusy),
        exempt: () => undefined,
        isReady: () => true,
        onListening: resolve,
        onFailure: reject,
      });
    });
  });

  after(async () => {
    close?.();
    await browser?.close();
  });

  async function open(colorScheme: 'light' | 'dark', width: number): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) complaints.push(request.url());
    });
    await page.goto(url);
    return { page, complaints };
  }

  for (const [scheme, width] of [
    ['light', 1200],
    ['dark', 1200],
    ['dark', 400],
    ['light', 320],
  ] as const) {
    it(`shows all that there is, ${scheme}, at a width of ${width}`, async () => {
      isBusy = true;
      const { page, complaints } = await open(scheme, width);
      // Two samples: a chart has something to draw.
      await page.waitForSelector('.line-a[d*="L"]', { state: 'attached' });
      const shown = await page.textContent('body');
      for (const expected of [
        'process 4711',
        'socket-tune 1.2.3, Node 24.0.0, up 1 h 1 min',
        '1,235 accepted',
        'TCP_FASTOPEN 1 inert: net.ipv4.tcp_fastopen=1 lacks bit 2',
        'SO_MARK 1 refused: EPERM',
        '60 s ago',
        '1 ms – 2.5 ms',
        'not-a-plain-socket',
        'accept queue 3 of 128, longest 129 1,234 dropped: raise net.core.somaxconn above 128',
        'accept queue 0 of 4,096, longest 2',
        '1,234 times an accept queue was full, 1,240 drops since the process listens (5,000 and 6,000 in all)',
        'the process is draining, 12 idle connections closed by Node, 2 connections cut',
        'and 5 more destinations',
      ]) {
        expect(shown).to.include(expected);
      }
      expect(await page.locator('#connections tbody tr').count()).to.equal(9);
      expect(await page.locator('#connections tbody tr').first().textContent()).to.match(/^10\.0\.0\.8:58000.*2\.6 s/);
      // Nobody is between 250 and 500 µs, and one between 100 and 250.
      const barOf = (label: string) => page.locator('#round-trips .bar-row', { hasText: label }).locator('i');
      expect((await barOf('250 µs – 500 µs').boundingBox())?.width ?? 0).to.equal(0);
      expect((await barOf('100 µs – 250 µs').boundingBox())?.width).to.be.greaterThan(20);
      expect(await page.evaluate(CUT)).to.deep.equal([]);
      expect(await page.evaluate(SMALL)).to.deep.equal([]);
      if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${scheme}-${width}.png`, fullPage: true });
      expect(complaints).to.deep.equal([]);
      await page.close();
    });
  }

  it('has the columns and the figures of top', async () => {
    isBusy = true;
    const { page, complaints } = await open('light', 1200);
    await page.waitForSelector('#connections tbody tr');
    const heads = CONNECTION_COLUMNS.map(({ head }) => head);
    expect(await page.locator('#connections th').allTextContents()).to.deep.equal([...heads, 'written']);
    for (let index = 0; index < 9; index++) {
      const one = connection(8 - index);
      const cells = CONNECTION_COLUMNS.map(({ text }) => text(one));
      const shown = await page.locator('#connections tbody tr').nth(index).locator('td').allTextContents();
      expect(shown).to.deep.equal([...cells, formatBytes(one.bytesWritten)]);
    }
    expect(await page.textContent('#retransmits')).to.equal('36segments, of open connections');
    expect(complaints).to.deep.equal([]);
    await page.close();
  });

  it('has the destinations of outgoing connections, the busiest first, and what the kernel knows of them', async () => {
    isBusy = true;
    const { page, complaints } = await open('light', 1200);
    await page.waitForSelector('#destinations tbody tr');
    const heads = DESTINATION_COLUMNS.map(({ head }) => head);
    expect(await page.locator('#destinations th').allTextContents()).to.deep.equal(heads);
    const all = Array.from({ length: 25 }, (_, index) => destination(index));
    const shown = busiest(all, 20);
    expect(shown[0]).to.include({ destination: 'db-24.internal:5432' });
    expect(await page.locator('#destinations tbody tr').count()).to.equal(20);
    const cells = await page.locator('#destinations tbody tr').first().locator('td').allTextContents();
    expect(cells).to.deep.equal(['db-24.internal:5432', '24', '240', '2', '1.3 ms', '6.0 ms', '24', '1', '3']);
    expect(complaints).to.deep.equal([]);
    await page.close();
  });

  it('has the queue that was full in the colour of what was refused', async () => {
    isBusy = true;
    const { page } = await open('light', 1200);
    await page.waitForSelector('.listener');
    expect(await page.locator('.badge.refused', { hasText: 'accept queue' }).count()).to.equal(1);
    expect(await page.locator('.badge.applied', { hasText: 'accept queue' }).count()).to.equal(1);
    await page.close();
  });

  it('runs no script and takes no style but its own', async () => {
    isBusy = true;
    const { page, complaints } = await open('light', 1200);
    await page.waitForSelector('.listener');
    await page.evaluate(`
      const script = document.createElement('script');
      script.textContent = 'document.body.className = "broken-in"';
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      document.head.append(script, style);
    `);
    expect(await page.getAttribute('body', 'class')).to.equal(null);
    expect(await page.isVisible('body')).to.equal(true);
    expect(complaints.filter((text) => text.includes('Content Security Policy'))).to.have.length(2);
    await page.close();
  });

  it('takes nothing that comes from outside for markup', async () => {
    isBusy = true;
    const { page, complaints } = await open('light', 1200);
    await page.waitForSelector('.listener');
    expect(await page.locator('img').count()).to.equal(0);
    expect(await page.textContent('body')).to.include(HOSTILE);
    expect(await page.title()).to.equal(`${HOSTILE}, socket-tune 4711`);
    expect(complaints).to.deep.equal([]);
    await page.close();
  });

  it('says so where there is nothing yet, and where the process is gone', async () => {
    isBusy = false;
    const { page } = await open('light', 1200);
    await page.waitForSelector('text=Nothing listens yet.');
    expect(await page.textContent('body'))
      .to.include('No open connections.')
      .and.include('No outgoing connections.')
      .and.include('No file had to go another way.');
    close();
    await page.waitForSelector('.gone');
    expect(await page.textContent('body')).to.include('does not answer');
    await page.close();
  });
});
