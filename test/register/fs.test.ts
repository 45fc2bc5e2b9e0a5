import { expect } from 'chai';
import type { Report } from '../../src/report/report.js';
import { BY_REQUIRE, type EndedProcess, type NodeOptions, runApp } from '../support/processes/node-process.js';

/** Reads itself before it listens, as apps read their configuration, and then by every way that there is. */
const APP = `
const { createServer } = require('node:net');
const fs = require('node:fs');
const { stat, readFile } = fs;
const { promisify } = require('node:util');
const [statCopy, readCopy] = [promisify(stat), promisify(readFile)];

async function main() {
  const before = await readCopy(__filename);
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  // The first look finds out what file system it is.
  await statCopy(__filename);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { stat: imported } = await import('node:fs');
  const results = [
    (await statCopy(__filename)).size,
    (await promisify(imported)(__filename)).size,
    (await fs.promises.stat(__filename)).size,
    (await readCopy(__filename)).length,
    (await fs.promises.readFile(__filename)).length,
  ];
  console.log(results.every((size) => size === before.length));
  server.close();
}
main();
`;

function run(options: NodeOptions & { readonly preload?: readonly string[] } = {}): Promise<EndedProcess> {
  return runApp('cjs', APP, { preload: [...BY_REQUIRE], ...options });
}

function inlineCalls({ report }: { readonly report: Report | undefined }): Readonly<Record<string, number>> {
  return report?.files.inlineCalls ?? {};
}

describe('an app that reads files', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('has it done without the thread pool, by whatever copies of fs’s functions it has', async () => {
    const ended = await run();
    expect(ended).to.include({ code: 0, stdout: 'true\n', stderr: '' });
    expect(inlineCalls(ended).stat).to.be.at.least(3);
    const { open = 0, read = 0, readFile = 0, close = 0 } = inlineCalls(ended);
    // Node 26 has a call for whole files; before that fs.readFile opens, reads and closes, by calls that it took before we came.
    expect(Math.max(readFile, Math.min(open, read, close))).to.be.at.least(2);
  });

  it('has nothing of it with SOCKET_TUNE_FS=off', async () => {
    const ended = await run({ env: { SOCKET_TUNE_FS: 'off' } });
    expect(ended).to.include({ code: 0, stdout: 'true\n', stderr: '' });
    expect(inlineCalls(ended)).to.deep.equal({});
    expect(ended.report?.files.pooledCalls).to.deep.equal({});
  });

  it('is not warned of anything, and has its files by the thread pool, under --pending-deprecation', async () => {
    const ended = await run({ preload: ['--pending-deprecation', ...BY_REQUIRE] });
    expect(ended).to.include({ code: 0, stdout: 'true\n', stderr: '' });
    expect(inlineCalls(ended)).to.deep.equal({});
  });
});
