import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeDoes } from '../../../src/node/versions.js';
import { CLIENTS, isRunnable } from './clients.js';
import { failures, runPool } from './stale-pool.js';

const REQUESTS = 24;

const OF_HTTP: ReadonlySet<string> = new Set([
  'axios',
  'got',
  ...Object.keys(CLIENTS).filter((name) => name.startsWith('http')),
]);

describe('a pool whose server closes idle connections while the app is busy', () => {
  let directory: string;

  before(function () {
    if (process.platform !== 'linux') this.skip();
    directory = mkdtempSync(join(tmpdir(), 'socket-tune-pool-'));
  });

  after(() => {
    if (directory !== undefined) rmSync(directory, { recursive: true });
  });

  for (const client of Object.keys(CLIENTS)) {
    it(`loses no request that the kernel knew to be in vain, and repeats none: ${client}`, async function () {
      if (!isRunnable(client)) this.skip();
      this.timeout(180_000);
      const [stock, tuned] = await Promise.all([
        runPool(client, REQUESTS, directory, []),
        runPool(client, REQUESTS, directory),
      ]);
      const isNodes = OF_HTTP.has(client) && nodeDoes('guardsAgents');
      if (isNodes) expect(failures(stock.figures), JSON.stringify(stock)).to.equal(0);
      else expect(failures(stock.figures), JSON.stringify(stock)).to.be.above(0);
      expect(
        tuned.figures.map(({ closing, isSecure, failed, repeated }) => ({ closing, isSecure, failed, repeated })),
      ).to.deep.equal(tuned.figures.map(({ closing, isSecure }) => ({ closing, isSecure, failed: {}, repeated: 0 })));
      expect(tuned.figures).to.have.length(6);
      if (isNodes) expect(tuned.stale).to.equal(0);
      else expect(tuned.stale).to.be.above(0);
    });
  }
});
